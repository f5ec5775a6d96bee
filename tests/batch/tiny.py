"""Tiny counties as workbooks, each with a name, schools and totals of its own."""

from tests.counties import make_county
from tests.reporting.compared import FIGURES, SCHOOL
from toolkit.data.workbook import write_workbook


def write_tiny(folder, number):
    """Write a county of 2 to 5 primary schools; return its code, its name and the rows of its register."""
    code, name = f"9902{number:02d}", f"第{number}试验县"
    ids = [f"{code}{position:06d}" for position in range(2 + number % 4)]
    schools = [{**SCHOOL, "school_id": own, "school_name": f"{name}第{own[-1]}小学"} for own in ids]
    years = [{**FIGURES, "school_id": own, "enrolment_primary": 900 + number} for own in ids]
    named = [{**school, "county_id": code, "county_name": name} for school in schools]
    county = make_county(named, years)
    path = folder / f"county{number:02d}.xlsx"
    write_workbook(path, county.tables, language="zh", county_id=code, county_name=name)
    return code, name, len(ids)
