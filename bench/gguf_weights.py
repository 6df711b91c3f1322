"""The weights of a prepared model as a GGUF file of one precision, for llama.cpp: nothing else is changed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import gguf
from gguf.quants import dequantize, quantize

from selfincorrect.sources.catalog import catalog
from selfincorrect.sources.fetch import fetch_gguf

KINDS = {"f32": gguf.GGMLQuantizationType.F32, "q8_0": gguf.GGMLQuantizationType.Q8_0}


def write_gguf(model: str, kind: str, target: Path) -> Path:
    """Write the catalog's `model` to `target`, its matrices as `kind`, one of KINDS, and return the path."""
    if target.exists():
        return target
    with TemporaryDirectory() as folder:
        source = Path(folder) / "model.gguf"
        fetch_gguf(catalog()[model], source)
        reader = gguf.GGUFReader(source)
        part = target.with_suffix(".part")
        writer = gguf.GGUFWriter(part, str(reader.fields["general.architecture"].contents()))
        for name, field in reader.fields.items():
            if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
                continue
            inner = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], inner)
        for tensor in reader.tensors:
            values = dequantize(tensor.data, tensor.tensor_type)
            whole = values.ndim < 2 or values.shape[-1] % 32 or kind == "f32"
            chosen = KINDS["f32" if whole else kind]
            writer.add_tensor(tensor.name, quantize(values, chosen), raw_dtype=chosen)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    part.rename(target)
    return target
