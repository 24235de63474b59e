"""A repository is found from anywhere inside it, and what is wrong with it is said by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from skewcheck.errors import DeclarationError, UsageError
from skewcheck.language.types import INT64
from skewcheck.store.repository import Repository, find_root, load_repository

HEAD = "import skewcheck as sk\nfrom feast import Field, RequestSource\nfrom feast.types import Float64\n"
SOURCE = 'payment = RequestSource(name="payment", schema=[Field(name="amount", dtype=Float64)])\n'


def write(root: Path, **modules: str) -> Path:
    (root / "features").mkdir(exist_ok=True)
    (root / "feature_store.yaml").write_text("project: x\n")
    for name, text in modules.items():
        (root / "features" / f"{name}.py").write_text(text)
    return root


def test_the_root_is_the_nearest_folder_with_a_feature_store(shop: Repository) -> None:
    assert find_root(shop.root / "features") == shop.root


def test_outside_of_a_repository_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="skewcheck init"):
        find_root(tmp_path)


def test_sources_are_placed_in_the_module_that_assigns_them(tmp_path: Path) -> None:
    service = 'from features.sources import payment\nservice = sk.features("pay", sources=[payment])\n'
    feature = "@service.feature\ndef twice(amount):\n    return amount * 2\n"
    root = write(tmp_path, sources=HEAD + SOURCE, a_service=HEAD + service + feature)
    assert load_repository(root).places == {"payment": ("features.sources", "payment")}


def test_join_keys_have_their_entity_s_type(shop: Repository) -> None:
    assert shop.view_keys(shop.service("shop")) == {"account": {"customer_id": INT64}}


def test_another_repository_s_modules_of_the_same_name_do_not_linger(tmp_path: Path) -> None:
    for name, factor in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        feature = f"@service.feature\ndef times{factor}(amount):\n    return amount * {factor}\n"
        service = 'service = sk.features("pay", sources=[payment])\n'
        write(tmp_path / name, pay=HEAD + SOURCE + service + feature)
    loaded = [load_repository(tmp_path / name).service("pay") for name in ("one", "two")]
    assert [[feature.name for feature in service.features] for service in loaded] == [["times1"], ["times2"]]


def test_a_module_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    root = write(tmp_path, pay="x = 1\ny = x / 0\n")
    with pytest.raises(DeclarationError, match=r"pay\.py:2: ZeroDivisionError"):
        load_repository(root)


def test_a_syntax_error_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"pay\.py.*SyntaxError"):
        load_repository(write(tmp_path, pay="def broken(:\n"))


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"pay\.py.*nowhere_to_be_found"):
        load_repository(write(tmp_path, pay="import nowhere_to_be_found\n"))


def test_a_circle_of_features_is_found_when_the_repository_is_loaded(tmp_path: Path) -> None:
    service = 'service = sk.features("pay", sources=[payment])\n'
    circle = (
        "@service.feature\ndef one(two):\n    return two + 1\n@service.feature\ndef two(one):\n    return one + 1\n"
    )
    with pytest.raises(DeclarationError, match="one → two → one"):
        load_repository(write(tmp_path, pay=HEAD + SOURCE + service + circle))


def test_two_services_of_one_name_are_refused(tmp_path: Path) -> None:
    service = 'service = sk.features("pay", sources=[payment])\n@service.feature\ndef f(amount):\n    return amount\n'
    root = write(tmp_path, one=HEAD + SOURCE + service, two=HEAD + SOURCE + service)
    with pytest.raises(DeclarationError, match="two services are called 'pay'"):
        load_repository(root)


def test_an_unknown_service_is_refused_with_those_that_exist(shop: Repository) -> None:
    with pytest.raises(UsageError, match=r"'shpo'.*shop"):
        shop.service("shpo")


def test_a_folder_without_features_is_refused(tmp_path: Path) -> None:
    (tmp_path / "feature_store.yaml").write_text("project: x\n")
    with pytest.raises(UsageError, match="features"):
        load_repository(tmp_path)


def test_a_view_without_entities_has_no_join_keys(tmp_path: Path) -> None:
    view = (
        "from feast import FeatureView, FileSource\n"
        'rate = FeatureView(name="rate", entities=[], schema=[Field(name="percent", dtype=Float64)],\n'
        '                   source=FileSource(path="rate.parquet", timestamp_field="observed"))\n'
    )
    service = (
        'service = sk.features("pay", sources=[rate])\n@service.feature\ndef half(percent):\n    return percent / 2\n'
    )
    repository = load_repository(write(tmp_path, pay=HEAD + view + service))
    assert repository.view_keys(repository.service("pay")) == {"rate": {}}
