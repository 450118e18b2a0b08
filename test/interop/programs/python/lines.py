"""Reads a question in JSON per line, writes an answer in JSON per line."""

import json
import ssl
import sys


def answer_questions(name, client):
    """Runs until the input ends; with the argument `version` it prints what it is and ends."""
    if sys.argv[1:] == ["version"]:
        python = ".".join(map(str, sys.version_info[:3]))
        print(f"{name}, Python {python}, {ssl.OPENSSL_VERSION.removesuffix(ssl.OPENSSL_VERSION[14:])}")
        return
    kept = {}
    for line in sys.stdin:
        question = json.loads(line)
        name = question.get("keep")
        asked = kept.get(name) or client(question["folder"])
        if name:
            kept[name] = asked
        try:
            status, body = asked.get(question["url"])
            answer = {"status": status, "body": body}
        except Exception as error:  # whatever it is, it is the result
            answer = {"error": str(error) or repr(error)}
        print(json.dumps(answer), flush=True)
