"""Puts the workflow into the wheel, so that an installed package can run it. All else: pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

WORKFLOW = ("Snakefile", "config.yaml", "workflow", "scripts", "envs")


class WithWorkflow(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        to = Path(self.build_lib, "selfincorrect", "_workflow")
        for name in WORKFLOW:
            if Path(name).is_dir():
                shutil.copytree(name, to / name, dirs_exist_ok=True)
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, to)
        # Snakemake looks for profiles beside the Snakefile.
        shutil.copytree("workflow/profiles", to / "profiles", dirs_exist_ok=True)


setup(cmdclass={"build_py": WithWorkflow})
