"""班额, 县域保障, 满意度: classes by size, entered county items and surveys."""

from toolkit.data.schema.model import YEAR, Column, Table, choice, count, school_code

CLASS_SIZE_BANDS = (
    "band_1_25",
    "band_26_30",
    "band_31_35",
    "band_36_40",
    "band_41_45",
    "band_46_50",
    "band_51_55",
    "band_56_60",
    "band_61_65",
    "band_66_up",
)
# A row of 县域保障 with such a code holds no value: it says from which year on a series is a new one.
BREAK_PREFIX = "break:"
CLASS_STAGES = ("primary", "junior")
ENTERED_VERDICTS = ("met", "not_met")
# The subjects of the national monitoring of the quality of compulsory education.
MONITORED_SUBJECTS = ("chinese", "mathematics", "science", "physical_education", "art", "morality_law")
RESPONDENTS = (
    "students_surveyed",
    "parents",
    "teachers_surveyed",
    "principals",
    "people_congress",
    "cppcc_members",
    "other_public",
)

CLASSES = Table(
    name="classes",
    key=("school_id", "year", "stage", "class_id", "size_band"),
    aliases=("班级", "班级班额", "班数班额"),
    columns=(
        *school_code("school_id", "学校标识码"),
        YEAR,
        choice("stage", CLASS_STAGES, required=True, period="point"),
        Column("grade", "integer", aliases=("年级数",), minimum=1, maximum=9, may_be_empty=True),
        Column("class_id", "code", aliases=("班级", "班号"), may_be_empty=True),
        choice("size_band", CLASS_SIZE_BANDS, "班额", "班额分组", period="point", may_be_empty=True),
        Column(
            "class_size",
            "integer",
            aliases=("班级学生数", "班级人数"),
            minimum=0,
            maximum=200,
            may_be_empty=True,
        ),
        count("class_count", "班数", "班级数", may_be_empty=True),
    ),
)

COUNTY_YEARS = Table(
    name="county_years",
    key=("year", "item", "subject"),
    aliases=("县级数据", "政府保障", "县域数据"),
    columns=(
        YEAR,
        Column("item", "code", aliases=("指标代码", "指标编号", "项目代码"), required=True, period="fixed"),
        Column("item_name", "text", aliases=("指标名称", "指标"), period="fixed", may_be_empty=True),
        choice("subject", MONITORED_SUBJECTS, "监测学科", "学科", period="fixed", may_be_empty=True),
        Column("item_value", "number", aliases=("数值", "值"), period="calendar_year", may_be_empty=True),
        Column(
            "item_numerator",
            "number",
            aliases=("分子数值",),
            minimum=0,
            period="calendar_year",
            may_be_empty=True,
        ),
        Column(
            "item_denominator",
            "number",
            aliases=("分母数值",),
            minimum=0,
            period="calendar_year",
            may_be_empty=True,
        ),
        Column(
            "evidence",
            "text",
            aliases=("佐证材料名称", "证明材料"),
            period="calendar_year",
            may_be_empty=True,
        ),
        choice(
            "entered_verdict",
            ENTERED_VERDICTS,
            "审核结论",
            "认定结论",
            period="calendar_year",
            may_be_empty=True,
        ),
        Column("judge", "text", aliases=("审核人", "评估人"), period="event", may_be_empty=True),
        Column("judged_on", "date", aliases=("审核日期", "评估日期"), period="event", may_be_empty=True),
        Column("item_source", "text", aliases=("来源",), period="event", may_be_empty=True),
    ),
)

SURVEYS = Table(
    name="surveys",
    key=("year", "respondents"),
    aliases=("满意度调查", "社会认可度"),
    columns=(
        YEAR,
        choice("respondents", RESPONDENTS, "对象", "调查群体", required=True, period="school_year"),
        count("questionnaires_sent", "发放问卷数", "发放数", period="school_year"),
        count(
            "questionnaires_returned",
            "回收问卷数",
            "回收数",
            at_most="questionnaires_sent",
            period="school_year",
        ),
        count(
            "questionnaires_satisfied",
            "满意人数",
            "认可数",
            at_most="questionnaires_returned",
            period="school_year",
        ),
    ),
)
