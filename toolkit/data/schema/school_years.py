"""学校年度: enrolment, teachers, premises, equipment and funds of each school in each year."""

from toolkit.data.schema.model import (
    COMPULSORY_STAGES,
    STAGES,
    YEAR,
    Column,
    Period,
    Table,
    area,
    count,
    money,
    school_code,
)

GRADES = tuple(range(1, 10))
GRADE_OF_EITHER_STAGE = 6
"""The last of six years of primary school, or the first of four years of junior school."""
STAGE_WORDS = {"primary": "小学", "junior": "初中", "senior": "高中"}
MUSIC_ROOM_BANDS = ("96", "73", "61", "54", "below_54")
ART_ROOM_BANDS = ("90", "67", "61", "54", "below_54")


def _by_stage(
    stem: str,
    *aliases: str,
    at_most: str = "",
    stages: tuple[str, ...] = COMPULSORY_STAGES,
    period: Period = "point",
) -> tuple[Column, ...]:
    """Return one count per stage; `{}` in an alias stands for the word of the stage."""
    return tuple(
        count(
            f"{stem}_{stage}",
            *(alias.format(STAGE_WORDS[stage]) for alias in aliases),
            at_most=f"{at_most}_{stage}" if at_most else "",
            period=period,
            stage=stage,
        )
        for stage in stages
    )


def _stage_of_grade(grade: int) -> str:
    if grade == GRADE_OF_EITHER_STAGE:
        return ""
    return "primary" if grade < GRADE_OF_EITHER_STAGE else "junior"


STUDENTS = (
    *_by_stage(
        "enrolment",
        "{}学生人数",
        "{}学生数",
        "{}在校学生数",
        "{}在校生",
        "{}在校生人数",
        "{}阶段在校生数",
        stages=STAGES,
    ),
    *(
        count(
            f"enrolment_grade_{grade}",
            f"{grade}年级学生数",
            may_be_empty=grade == GRADE_OF_EITHER_STAGE,
            stage=_stage_of_grade(grade),
        )
        for grade in GRADES
    ),
    *_by_stage("new_entrants", "{}招生人数", "{}招生", period="point"),
    *_by_stage("boarders", "{}寄宿生", "{}住宿生数", at_most="enrolment"),
    *_by_stage(
        "in_zone_students", "{}家庭住址在划片范围内的在校学生人数", "{}划片范围内学生数", at_most="enrolment"
    ),
    count("migrant_students", "进城务工人员随迁子女在校生人数", "随迁子女在校生数", "随迁子女"),
    count("purchased_place_students", "购买学位人数", "政府购买服务学位学生数"),
    count("left_behind_students", "留守儿童人数", "农村留守儿童在校生数", "留守儿童"),
    count("students_with_disabilities", "残疾学生数", "随班就读学生数"),
    count("selective_students", "择校生", "择校生人数"),
)

CLASSES = (
    *_by_stage("classes", "{}班级总数", "{}班级数", "{}班数"),
    count("largest_class_size", "最大班级人数", "最大班额人数"),
)

TEACHERS = (
    *_by_stage("staff", "{}教职工人数"),
    *_by_stage("teachers", "{}专任教师总人数", "{}专任教师人数", "{}专任教师"),
    *_by_stage(
        "teachers_above_required_qualification",
        "{}高于规定学历专任教师数",
        "{}高于规定学历教师",
        "{}高学历教师数",
        at_most="teachers",
    ),
    *_by_stage(
        "backbone_teachers",
        "{}县级及以上骨干教师数",
        "{}骨干教师",
        "{}区级以上骨干教师数",
        at_most="teachers",
    ),
    *_by_stage("pe_teachers", "{}体育专任教师人数", "{}体育教师数", "{}体育教师", at_most="teachers"),
    *_by_stage(
        "arts_teachers",
        "{}艺术（音乐、美术）专任教师数",
        "{}艺术专任教师人数",
        "{}音乐美术教师数",
        "{}艺术教师",
        at_most="teachers",
    ),
    *_by_stage("visiting_pe_arts_teachers", "{}交流轮岗、兼职、走教体育艺术教师数", "{}走教体艺教师数"),
    *_by_stage("pe_arts_instructors", "{}承担音体美课教师数"),
    *_by_stage("certified_teachers", "{}持有教师资格证的专任教师人数", at_most="teachers"),
    *_by_stage(
        "trained_teachers", "{}近5年培训满360学时专任教师人数", at_most="teachers", period="school_year"
    ),
    *_by_stage("senior_title_teachers", "{}高级职称教师数", at_most="teachers"),
    *_by_stage("teachers_intermediate_title", "{}中级及以上职称教师数", at_most="teachers"),
    count("backbone_teachers_total", "县级及以上骨干教师数", "骨干教师数", "骨干教师", may_be_empty=True),
    count("pe_teachers_total", "体育专任教师人数", "体育教师数", may_be_empty=True),
    count("arts_teachers_total", "艺术专任教师人数", "音乐美术教师数", "艺术教师数", may_be_empty=True),
    count("teacher_exits", "教师流失人数", "离职教师数", period="school_year"),
    Column(
        "teacher_weekly_hours", "number", aliases=("周课时数",), minimum=0, maximum=60, period="school_year"
    ),
    Column("teacher_satisfaction", "share", aliases=("教师工作满意度",), minimum=0, maximum=1),
)

PREMISES = (
    area("teaching_area", "教学及辅助用房总面积", "教学及教学辅助用房面积", "教学及辅助用房", "教辅用房面积"),
    area("indoor_sports_area", "室内体育用房", "其中：室内体育用房面积", at_most="teaching_area"),
    area("gymnasium_area", "体育馆面积", "学校体育馆建筑面积"),
    area("sports_ground_area", "运动场地面积", "校内体育场面积", "体育场地面积", "运动场面积", "运动场地"),
    area("rented_sports_area", "租赁体育场馆面积", "校外租赁场馆"),
    Column(
        "rented_sports_minutes",
        "number",
        aliases=("租赁场馆步行分钟数",),
        minimum=0,
        maximum=240,
        may_be_empty=True,
    ),
    area("converted_sports_area", "楼顶、地下室改建运动场地面积", "改建运动场地面积"),
    *(count(f"music_rooms_{band}") for band in MUSIC_ROOM_BANDS),
    *(count(f"art_rooms_{band}") for band in ART_ROOM_BANDS),
    count("resource_rooms", "特殊教育资源教室", "资源教室间数"),
)

EQUIPMENT = (
    money(
        "equipment_value",
        "教学仪器设备资产值",
        "教学仪器设备资产值（账面原值）",
        "教学仪器设备总值",
        "仪器设备值",
        "教学仪器值",
        period="point",
    ),
    count("multimedia_rooms", "网络多媒体教室间数", "网络多媒体教室", "多媒体教室数", "多媒体教室"),
    count("computers", "教学用计算机", "计算机台数", "教学用终端数"),
    count("books", "图书", "图书册数", "纸质图书册数"),
    Column("bandwidth_mbps", "number", aliases=("出口带宽", "接入带宽", "网络带宽"), minimum=0),
    Column("experiments_offered_share", "share", aliases=("实验课开出率",), minimum=0, maximum=1),
)

FUNDS = (
    money("spending_primary", "小学教育经费支出", "小学经费支出", stage="primary"),
    money("spending_junior", "初中教育经费支出", "初中经费支出", stage="junior"),
    money("public_funds_budget", "公用经费预算总额", "年度公用经费预算", "上一年度公用经费预算总额"),
    money("public_funds_settled", "公用经费决算总额", "上一年度公用经费决算总额"),
    money("training_funds", "教师培训经费支出", "教师培训费", "教师培训经费"),
    count("public_funds_students", "核定公用经费人数", period="calendar_year"),
)

RETENTION = (
    count(
        "graduates_junior",
        "本届毕业学生人数",
        "初中毕业人数",
        "毕业生数",
        period="school_year",
        stage="junior",
    ),
    count(
        "grade7_enrolment_at_entry",
        "毕业年级初一时在校学生数",
        "该届初一在校学生数",
        "入学时在校生数",
        period="event",
        stage="junior",
    ),
    count("transferred_in", "三年转入学生数", "三年转入人数", "转入", period="event", stage="junior"),
    count("transferred_out", "三年转出学生数", "三年转出人数", "转出", period="event", stage="junior"),
    count("deceased", "三年死亡学生数", "死亡人数", period="event", stage="junior"),
)

SCHOOL_YEARS = Table(
    name="school_years",
    key=("school_id", "year"),
    required=True,
    aliases=("学校年度数据", "年度数据", "学校数据", "学校办学条件", "办学条件", "学校年报", "资源配置"),
    columns=(
        *school_code("school_id", "学校标识码", "学校编码", "标识码"),
        YEAR,
        *STUDENTS,
        *CLASSES,
        *TEACHERS,
        *PREMISES,
        *EQUIPMENT,
        *FUNDS,
        *RETENTION,
    ),
)
