"""Only what pyproject.toml cannot say: a built wheel carries sql/ and contracts/ inside the meterfold package."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py

DATA_FOLDERS = ("sql", "contracts")


class BuildWithDataFolders(build_py):
    """An editable install reads the folders in place; any other build copies them to meterfold/<folder>."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in filter(lambda name: Path(name).is_dir(), DATA_FOLDERS):
            target = Path(self.build_lib) / "meterfold" / folder
            copytree(folder, target, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithDataFolders})
