"""What ruff has no rule for: no function longer than a screen or two, no deep nesting, no endless module.

A function or module that needs more has a comment `# long: <reason>` on its first line.
"""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FUNCTION = 60
LONGEST_MODULE = 500
DEEPEST = 4
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
EXCUSE = "# long: "


def python_files():
    """Every Python file that git tracks, or the folders' own where this is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file()]


def depth_of(node, depth=0):
    """How many blocks stand inside one another; `elif` is no deeper than its `if`."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth_of(child, depth + (isinstance(child, BLOCKS) and not is_elif)))
    return deepest


def functions_of(path):
    """Each function of a file with its first line's text."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS):
            yield node, lines[node.lineno - 1]


def test_a_module_has_at_most_500_lines():
    long = {}
    for path in python_files():
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST_MODULE and EXCUSE not in lines[0]:
            long[str(path.relative_to(ROOT))] = len(lines)
    assert long == {}


def test_a_function_has_at_most_60_lines():
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in python_files()
        for node, first in functions_of(path)
        if node.end_lineno - node.lineno >= LONGEST_FUNCTION and EXCUSE not in first
    }
    assert long == {}


def test_no_block_is_nested_deeper_than_four():
    deep = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": depth_of(node)
        for path in python_files()
        for node, _ in functions_of(path)
        if depth_of(node) > DEEPEST
    }
    assert deep == {}


def test_the_depth_counts_blocks_and_not_elifs():
    tree = ast.parse("def f(a):\n if a:\n  pass\n elif a > 1:\n  for b in a:\n   pass\n")
    assert depth_of(tree.body[0]) == 2
