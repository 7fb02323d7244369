"""`passerelle demo` and `passerelle scenario`: a throw-away sandbox, a story, its verdicts."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from gateway.scenarios.model import Scenario, ScenarioError, parse_scenario
from gateway.tables import names_in, read_yaml
from gateway.values import Lang, Text


def run_demo(name: str, *, as_json: bool, keep: bool, lang: Lang) -> int:
    """Play one scenario; 0 only when every expectation held, 2 when the scenario cannot be read."""
    try:
        scenario = find_scenario(name)
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return 2
    except LookupError:
        said = Text(f"{name} : scénario inconnu. Scénarios livrés :", f"{name}: unknown scenario. Shipped ones:")
        print(f"{said.in_(lang)} {', '.join(shipped_scenarios())}", file=sys.stderr)
        return 2
    from adapters.testing.running import GatewayDidNotStart

    folder = Path(tempfile.mkdtemp(prefix="passerelle-"))
    try:
        return _played(scenario, folder, as_json=as_json, keep=keep, lang=lang)
    except GatewayDidNotStart as error:
        intro = Text("Le bac à sable n'a pas démarré :", "The sandbox did not start:").in_(lang)
        print(f"{intro}\n{error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _played(scenario: Scenario, folder: Path, *, as_json: bool, keep: bool, lang: Lang) -> int:
    from adapters.cli.render import console
    from adapters.player.narrator import Narrator
    from adapters.player.player import play
    from adapters.player.result import StepResult
    from adapters.player.world import world_of
    from adapters.testing.running import start_gateway

    out = console()
    out.quiet = as_json
    narrator = Narrator(out, lang)
    started = time.perf_counter()
    results: list[StepResult] = []
    with start_gateway(folder, {"PASSERELLE_LANG": lang.value}) as gateway:
        ports = " · ".join(f"{door} {port}" for door, port in gateway.run["ports"].items())
        narrator.opening(scenario, f"127.0.0.1 — {ports}")
        world = world_of(gateway)
        act = 0
        for number, step, result in play(scenario, world):
            if number != act:
                act = number
                narrator.act(number, scenario.acts[number - 1])
            if result is None:
                narrator.step(step)
            else:
                results.append(result)
                narrator.result(result)
        narrator.verdict(results, time.perf_counter() - started)
        held = all(result.held for result in results)
        if as_json:
            document = {
                "scenario": scenario.name,
                "held": held,
                "seconds": round(time.perf_counter() - started, 3),
                "steps": [r.to_json() for r in results],
            }
            print(json.dumps(document, ensure_ascii=False, indent=2))
        if keep:
            _linger(gateway.run["console"], folder, lang)
    return 0 if held else 1


def _linger(url: str, folder: Path, lang: Lang) -> None:
    said = Text(
        f"Le bac à sable reste ouvert : {url}\nDonnées : {folder}\nCtrl-C pour l'arrêter.",
        f"The sandbox stays open: {url}\nData: {folder}\nCtrl-C stops it.",
    )
    print(said.in_(lang), file=sys.stderr)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def find_scenario(name: str) -> Scenario:
    """A shipped scenario by name, or a YAML file. Raises LookupError or ScenarioError."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return scenario_in(path)
    shipped = shipped_scenarios()
    if name not in shipped:
        raise LookupError(name)
    return parse_scenario(name, read_yaml(shipped[name]))


def shipped_scenarios() -> dict[str, str]:
    """The name of each shipped scenario, and its file."""
    return {Path(name).stem: name for name in names_in("scenarios", ".yaml")}


def scenario_in(path: Path) -> Scenario:
    """The scenario of a file. Raises OSError, or ScenarioError with every mistake."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError([f"{path}: {' '.join(str(error).split())}"]) from error
    return parse_scenario(path.stem, document)


def list_scenarios(lang: Lang) -> int:
    """Print every shipped scenario."""
    for name in names_in("scenarios", ".yaml"):
        scenario = parse_scenario(Path(name).stem, read_yaml(name))
        print(f"{scenario.name:<20} {scenario.title.in_(lang)}")
    return 0


def validate_scenario(path: Path, lang: Lang) -> int:
    """Say every mistake of a scenario file; 1 when there is one."""
    try:
        scenario = scenario_in(path)
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return 1
    steps = sum(len(act.steps) for act in scenario.acts)
    words = Text("actes", "acts").in_(lang), Text("étapes", "steps").in_(lang)
    print(f"{scenario.name}: {len(scenario.acts)} {words[0]}, {steps} {words[1]}")
    return 0
