"""集团成员, 结对委托, 项目: what schools take part in."""

from toolkit.data.schema.model import Column, Table, area, choice, count, money, school_code

PROGRAMMES = (
    "group_schooling",
    "school_zone",
    "joint_schooling",
    "strong_school_project",
    "hand_in_hand",
    "entrusted_management",
    "mutual_growth",
    "new_quality_schools",
    "paired_support",
)
ROLES = ("lead", "member")
FORMS = ("close_form", "loose_form", "entrusted_form", "new_campus_form")
PROJECT_KINDS = (
    "new_building",
    "extension",
    "renovation",
    "sports_ground",
    "equipment",
    "network",
    "housing",
)
MEMBER_STAGES = ("primary", "junior")

SCHOOL_GROUPS = Table(
    name="school_groups",
    key=("school_id", "stage", "programme", "school_group", "start_year"),
    aliases=("教育集团", "集团化办学", "学区集团", "集团名单"),
    columns=(
        *school_code("school_id", "学校标识码"),
        choice("stage", MEMBER_STAGES, required=True),
        choice("programme", PROGRAMMES, "办学项目", "项目", required=True),
        Column(
            "school_group",
            "text",
            aliases=("教育集团名称", "集团", "学区名称"),
            required=True,
            period="fixed",
        ),
        choice("role", ROLES, "校别", "成员角色", "核心校/成员校", required=True),
        choice("form", FORMS, "集团类型", "办学形式", "类型", may_be_empty=True),
        Column("announced", "date", aliases=("公布时间", "批准日期"), period="event"),
        Column(
            "start_year", "year", aliases=("成立时间", "加入时间", "起始学年"), required=True, period="event"
        ),
        Column("end_year", "year", aliases=("退出时间", "截止学年"), period="event", may_be_empty=True),
        Column("selection_basis", "text", aliases=("遴选办法", "入选理由"), period="event"),
    ),
)

SUPPORT = Table(
    name="support",
    key=("supporter_name", "receiver_id", "support_start"),
    aliases=("结对帮扶", "委托管理", "结对名单"),
    columns=(
        *school_code("supporter_id", "支援校代码", required=False),
        *school_code("receiver_id", "受援校代码"),
        choice("programme", PROGRAMMES, "项目"),
        Column("support_start", "date", aliases=("协议开始日期",), required=True, period="event"),
        Column("support_end", "date", aliases=("协议结束日期",), period="event", may_be_empty=True),
        Column(
            "support_cycle",
            "integer",
            aliases=("第几轮",),
            minimum=1,
            maximum=20,
            period="event",
            may_be_empty=True,
        ),
    ),
)

PROJECTS = Table(
    name="projects",
    key=("school_id", "project_kind", "project_start"),
    aliases=("建设项目", "项目清单"),
    columns=(
        *school_code("school_id", "学校标识码"),
        choice("project_kind", PROJECT_KINDS, "类别", required=True),
        Column("project_start", "date", aliases=("开工时间", "立项日期"), required=True, period="event"),
        Column("project_end", "date", aliases=("完工时间", "竣工日期"), period="event", may_be_empty=True),
        money("project_amount", "投资额", "金额", period="event"),
        count("project_places", "学位数", "新增学位", period="event", may_be_empty=True),
        area("project_area", "面积", "新增面积", may_be_empty=True),
    ),
)
