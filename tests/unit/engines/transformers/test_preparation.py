"""A model as it is prepared: what its manifest tells, and what stands in its folder."""

import json

from selfincorrect.engines.manifest import Manifest, ModelSettings
from selfincorrect.models.prepare import prepare_model


def test_manifest_tells_what_was_prepared(engine, tmp_path):
    made = engine("gemma3")
    settings = ModelSettings(source=made.model.config._name_or_path, prompt="chat", context=64)
    manifest = prepare_model("m", settings, tmp_path)
    assert manifest.context == 64
    assert not manifest.encoder_decoder
    other = settings.model_copy(update={"prompt": "completion", "dtype": "bfloat16"})
    again = prepare_model("other", other, tmp_path / "b")
    assert again.revision == manifest.revision
    assert again.digest != manifest.digest
    assert Manifest(**json.loads(json.dumps(manifest.told()))) == manifest


def test_a_source_of_another_kind_replaces_what_was_there(engine, tmp_path):
    made = engine("llama")
    settings = ModelSettings(source=made.model.config._name_or_path, prompt="chat")
    (tmp_path / "weights" / "inside").mkdir(parents=True)
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights").is_symlink()
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights" / "config.json").exists()
