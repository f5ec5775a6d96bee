import pytest

from toolkit.reporting.prose import mathml, prose_html, without_title


def test_raw_html_shows_as_text():
    html = prose_html("前 <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>", prefix="s1")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_equations_become_mathml_without_an_address():
    html = prose_html("设 $X_i$：\n\n$$\\frac{S}{\\bar{X}}$$\n", prefix="s1")
    assert "<msub>" in html
    assert '<div class="equation"><math display="block">' in html
    assert "http" not in html


def test_a_formula_that_cannot_be_read_is_shown_as_written():
    assert mathml(r"\frac{", display=False) == r"<code>\frac{</code>"


def test_dollars_of_money_are_no_equation():
    assert "<math" not in prose_html("5 $ 与 6 $。", prefix="s1")


def test_headings_have_ids_and_can_be_moved_down():
    assert (
        prose_html("## 甲\n\n## 乙", prefix="n", deeper=1) == '<h3 id="n-1">甲</h3>\n<h3 id="n-2">乙</h3>\n'
    )


def test_a_link_to_another_host_is_printed_not_linked():
    html = prose_html("见[论文](https://doi.org/10.1)。", prefix="s1")
    assert "href" not in html
    assert '论文 (<span class="url">https://doi.org/10.1</span>)' in html


@pytest.mark.parametrize(
    "source", ["[x](javascript:alert(1))", "![x](file:///etc/passwd)", "![x](https://host/x.png)"]
)
def test_nothing_is_fetched_or_run(source):
    html = prose_html(source, prefix="s1")
    assert "href" not in html
    assert "src" not in html


def test_a_reference_points_to_an_exhibit():
    assert '<a class="exhibit-ref" href="#exhibit-cv_all">cv_all</a>' in prose_html(
        "见[@cv_all]。", prefix="s1"
    )


def test_words_for_the_screen_are_marked():
    html = prose_html("见下表。[点击<表头>可排序。]{.screen}", prefix="s1")
    assert html == '<p>见下表。<span class="screen-only">点击&lt;表头&gt;可排序。</span></p>\n'


def test_the_title_of_the_page_is_taken_out_of_the_prose():
    assert without_title("# 题\n\n文\n\n## 一") == "文\n\n## 一"
    assert without_title("## 一\n\n# 二") == "## 一\n\n# 二"
