"""交流轮岗, 教师年度, 学业成绩: one row per person."""

from toolkit.data.schema.model import YEAR, Column, Table, choice, school_code

SUBJECTS = (
    "chinese",
    "mathematics",
    "english",
    "physics",
    "chemistry",
    "biology",
    "science",
    "morality_law",
    "history",
    "geography",
    "physical_education",
    "music",
    "fine_art",
    "art",
    "information",
    "labour",
)
TEACHER_STAGES = ("primary", "junior", "senior")
TITLES = ("no_title", "third_title", "second_title", "first_title", "senior_title", "full_senior_title")
QUALIFICATIONS = ("below_college", "college", "bachelor", "master", "doctorate")
POSTS = ("principal", "vice_principal", "middle_leader", "class_teacher", "subject_teacher", "other_post")
BACKBONE_TITLES = ("county_backbone", "city_backbone", "province_backbone", "nation_backbone")
ROTATION_TYPES = (
    "fixed_term_rotation",
    "cross_school_teaching",
    "travelling_teaching",
    "support_teaching",
    "group_internal_move",
    "principal_rotation",
    "other_rotation",
)
GENDERS = ("male", "female")


def _text(name: str, *aliases: str, may_be_empty: bool = False) -> Column:
    return Column(name, "text", aliases=aliases, may_be_empty=may_be_empty)


def _flag(name: str, *aliases: str, may_be_empty: bool = False) -> Column:
    return Column(name, "boolean", aliases=aliases, may_be_empty=may_be_empty)


ROTATIONS = Table(
    name="rotations",
    key=("teacher_id", "rotation_start"),
    aliases=("教师交流轮岗", "交流轮岗名单", "教师交流"),
    columns=(
        Column("teacher_id", "code", aliases=("教师编号", "教职工号", "工号"), required=True),
        Column(
            "rotation_start",
            "date",
            aliases=("开始年月", "轮岗开始时间", "开始日期"),
            required=True,
            period="event",
        ),
        Column(
            "rotation_end",
            "date",
            aliases=("结束年月", "轮岗结束时间", "结束日期"),
            period="event",
            may_be_empty=True,
        ),
        *school_code("sending_school_id", "派出学校代码", "原单位代码"),
        *school_code("receiving_school_id", "接收学校代码", "交流轮岗单位代码"),
        choice("rotation_type", ROTATION_TYPES, "类型", "交流类型", period="event"),
        _flag("backbone", "骨干教师", "是否骨干"),
        choice("stage", TEACHER_STAGES),
        choice("subject", SUBJECTS, "学科", "任教科目"),
        choice("title", TITLES, "职称等级"),
        Column("full_time_share", "share", aliases=("工作量占比",), minimum=0, maximum=1, period="event"),
        _flag("file_moved", "是否调动人事关系", "人事关系调动"),
    ),
)

TEACHERS = Table(
    name="teachers",
    key=("teacher_id", "year"),
    aliases=("教师信息", "教师名册", "教师花名册"),
    outgrows_excel=True,
    columns=(
        Column("teacher_id", "code", aliases=("教师编号", "教职工号", "工号"), required=True),
        YEAR,
        *school_code("school_id", "学校标识码"),
        choice("stage", TEACHER_STAGES, "任教学段"),
        choice("subject", SUBJECTS, "学科", "任教科目"),
        choice("post", POSTS, "职务"),
        choice("qualification", QUALIFICATIONS, "最高学历"),
        choice("title", TITLES, "职称等级"),
        choice("backbone_title", BACKBONE_TITLES, "骨干级别", may_be_empty=True),
        Column(
            "backbone_expiry",
            "date",
            aliases=("骨干有效期", "骨干称号有效期"),
            period="event",
            may_be_empty=True,
        ),
        _flag("established_post", "是否在编", "编制"),
        Column("arrived", "date", aliases=("到本校时间", "来校年月"), period="event"),
        Column("birth_year", "year", aliases=("出生年月",), period="fixed"),
        _text("exemption", "免交流原因", may_be_empty=True),
        Column(
            "first_title_application",
            "year",
            aliases=("首次申报职称年份",),
            period="event",
            may_be_empty=True,
        ),
    ),
)

SCORES = Table(
    name="scores",
    key=("student_id", "year", "grade", "subject", "test"),
    aliases=("成绩", "学生成绩", "监测成绩", "考试成绩"),
    outgrows_excel=True,
    columns=(
        Column("student_id", "code", aliases=("学籍号", "考号", "学生编号", "学号"), required=True),
        YEAR,
        Column("grade", "integer", aliases=("年级数",), required=True, minimum=1, maximum=12),
        choice("subject", SUBJECTS, "学科", "考试科目", required=True),
        _text("test", "考试", "测试名称"),
        *school_code("school_id", "学校标识码"),
        Column("class_id", "code", aliases=("班级", "班号")),
        Column("teacher_id", "code", aliases=("教师编号", "任课教师编号")),
        Column("score", "number", aliases=("分数", "得分")),
        Column("full_mark", "number", aliases=("总分", "卷面满分"), minimum=1),
        _flag("absent", "是否缺考", may_be_empty=True),
        _text("grade_letter", "等第", may_be_empty=True),
        _flag("linked_scale", "是否等值量表", may_be_empty=True),
        Column("prior_score", "number", aliases=("前测成绩", "入学成绩"), may_be_empty=True),
        Column("weight", "number", aliases=("权重",), minimum=0, may_be_empty=True),
        *(Column(f"plausible_value_{number}", "number", may_be_empty=True) for number in range(1, 6)),
        choice("gender", GENDERS),
        _flag("migrant", "随迁子女"),
        _flag("left_behind", "留守儿童"),
        _flag("boarding", "寄宿生"),
        Column("parent_education_years", "number", aliases=("父母受教育年限",), minimum=0, maximum=30),
        Column("books_at_home", "integer", aliases=("家中藏书量",), minimum=0),
        Column("ses", "number", aliases=("家庭社会经济地位",)),
    ),
)
