"""What several tests ask of an exported file."""

from export import tflite_schema
from runtime.engines import ENGINES, ENGINES_OF_SUFFIX


def scores_in(path, faces):
    return ENGINES[ENGINES_OF_SUFFIX[path.suffix][0]](path)(faces)


def interpreter_of(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    return interpreter


def foreign_operators(path):
    """Operators that are no built-ins of TFLite (Select TF ops are custom ones), or keep a state."""
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    names = {value: name for name, value in vars(BuiltinOperator).items() if not name.startswith("_")}
    codes = tflite_schema.read(path.read_bytes()).operatorCodes
    assert codes
    used = [(names[max(code.builtinCode, code.deprecatedBuiltinCode)], code.customCode) for code in codes]
    keep_state = ("VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE", "UNIDIRECTIONAL_SEQUENCE_LSTM")
    return [(name, custom) for name, custom in used if custom or name in ("CUSTOM", *keep_state)]
