"""`make translations`: bring backoffice/locale up to the code; ARGS=--check only looks."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from tests.languages.catalogues import compile_catalogue, folder, languages, read, update, wanted
from tests.languages.checking import problems, problems_of_code


def main(arguments: list[str]) -> int:
    texts, loose = wanted()
    faults = list(problems_of_code(loose))
    for language in languages():
        if "--check" not in arguments:
            came, went = update(language, texts.values())
            compile_catalogue(language)
            sys.stdout.write(f"{language}: {len(texts)} texts, {came} new, {went} gone.\n")
        compiled = folder(language) / "django.mo"
        faults += problems(language, read(language), compiled, texts)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        sys.stdout.write(f"{len(faults)} to mend. See docs/languages.md.\n")
    else:
        sys.stdout.write(f"{len(texts)} texts are complete in {', '.join(languages())}.\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
