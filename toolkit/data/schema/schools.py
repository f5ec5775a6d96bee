"""学校名录: the register of schools, and the links between schools that change."""

from collections.abc import Mapping

from toolkit.data.schema.model import Column, Table, choice, school_code

SCHOOL_TYPES = (
    "primary_school",
    "teaching_point",
    "junior_secondary_school",
    "nine_year_school",
    "twelve_year_school",
    "complete_secondary_school",
    "special_education_school",
)
STAGES_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "primary_school": ("primary",),
    "teaching_point": ("primary",),
    "junior_secondary_school": ("junior",),
    "nine_year_school": ("primary", "junior"),
    "twelve_year_school": ("primary", "junior", "senior"),
    "complete_secondary_school": ("junior", "senior"),
    "special_education_school": ("primary", "junior"),
}
"""Stages that every school of a type teaches."""

FURTHER_STAGES_OF_TYPE: Mapping[str, tuple[str, ...]] = {"special_education_school": ("senior",)}
"""Stages that a school of a type may teach besides."""

OWNERSHIPS = ("public", "private")
LOCATIONS = ("urban", "town_area", "rural")
LINK_KINDS = ("rename", "merge", "split", "new_campus")


def possible_stages(school_type: str) -> tuple[str, ...]:
    """Return the stages that a school of a type may teach, none for an unknown type."""
    return STAGES_OF_TYPE.get(school_type, ()) + FURTHER_STAGES_OF_TYPE.get(school_type, ())


def _flag(name: str, *aliases: str) -> Column:
    return Column(name, "boolean", aliases=aliases, period="fixed")


SCHOOLS = Table(
    name="schools",
    key=("school_id", "valid_from"),
    required=True,
    aliases=("学校基本信息", "学校信息", "学校基本情况", "学校名单", "学校一览表"),
    columns=(
        Column("county_id", "code", aliases=("行政区划代码", "区划代码", "县区代码"), period="fixed"),
        Column("county_name", "text", aliases=("县区", "县（市、区）", "区县", "县级行政区"), period="fixed"),
        Column(
            "school_id",
            "code",
            aliases=(
                "学校标识码",
                "学校（机构）标识码",
                "学校编码",
                "机构代码",
                "标识码",
                "学校代码（标识码）",
            ),
            required=True,
            period="fixed",
        ),
        Column(
            "school_name",
            "text",
            aliases=("校名", "学校", "学校（机构）名称", "单位名称", "学校全称"),
            required=True,
            period="fixed",
        ),
        Column(
            "former_names",
            "text",
            aliases=("原校名", "原名", "别名", "简称"),
            period="fixed",
            may_be_empty=True,
        ),
        Column(
            "town", "text", aliases=("乡镇", "街道", "所属乡镇", "镇（街道）", "所在乡镇"), period="fixed"
        ),
        choice(
            "school_type", SCHOOL_TYPES, "办学类型", "类别", "学校类别", "学校（机构）类型", required=True
        ),
        choice("ownership", OWNERSHIPS, "办学性质", "举办者", "办学主体", "公办民办"),
        choice("location", LOCATIONS, "城乡类别", "城乡分类", "城乡类型", "城乡属性"),
        Column(
            "valid_from",
            "year",
            aliases=("信息起始年份", "生效学年", "启用年份"),
            period="fixed",
            may_be_empty=True,
        ),
        Column("opened", "year", aliases=("建校时间", "建校年份", "建校年月", "创办年份"), period="event"),
        Column(
            "closed", "year", aliases=("撤并年份", "停办年份", "撤销时间"), period="event", may_be_empty=True
        ),
        Column(
            "parent_school_id",
            "code",
            aliases=("中心校代码", "主管学校代码"),
            period="fixed",
            may_be_empty=True,
        ),
        _flag("boarding_school", "寄宿制学校", "是否寄宿制学校"),
        _flag("directly_administered", "省市直属", "是否省（市）直属"),
        _flag("planned_by_2010", "是否2010年及之前规划并建成", "2010年及之前规划建成"),
        _flag("built_by_2016", "是否2016年及之前规划并建成", "2016年及之前规划建成"),
        _flag("dense_urban", "是否人口密度过高的大城市中心城区学校", "大城市中心城区学校"),
        _flag(
            "rural_small_school",
            "是否50人及以上但不足100人的乡村小规模学校和教学点",
            "50人及以上不足100人的乡村小规模学校",
        ),
        _flag("largest_class_below_30", "是否最大班额低于30人的农村小规模学校", "最大班额低于30人"),
        Column("longitude", "number", aliases=("经度坐标",), minimum=-180, maximum=180, period="fixed"),
        Column("latitude", "number", aliases=("纬度坐标",), minimum=-90, maximum=90, period="fixed"),
    ),
)

SCHOOL_LINKS = Table(
    name="school_links",
    key=("from_school_id", "to_school_id", "link_date"),
    aliases=("学校变更", "学校撤并", "学校变动情况"),
    columns=(
        *school_code("from_school_id", "原学校代码", "变更前学校代码"),
        *school_code("to_school_id", "现学校代码", "变更后学校代码"),
        Column("link_date", "date", aliases=("变更日期", "变更时间", "日期"), required=True, period="event"),
        choice("link_kind", LINK_KINDS, "变更方式", "类型", required=True, period="event"),
        Column(
            "link_share",
            "share",
            aliases=("承接比例", "划转比例"),
            minimum=0,
            maximum=1,
            period="event",
            may_be_empty=True,
        ),
    ),
)
