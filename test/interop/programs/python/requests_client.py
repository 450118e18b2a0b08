"""requests: a session that shows the newest certificate on each new connection."""

import requests

from lines import answer_questions
from mounted import Mounted


class Client:
    def __init__(self, folder):
        self.mounted = Mounted(folder)
        self.session = requests.Session()
        # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE of the environment win over `verify`.
        self.session.trust_env = False

    def get(self, url):
        version = self.mounted.version()
        # Connections are pooled by these paths, so a new version of the Secret gets new connections.
        self.session.cert = (f"{version}/tls.crt", f"{version}/tls.key")
        self.session.verify = f"{version}/ca.crt"
        response = self.session.get(url, timeout=10)
        return response.status_code, response.text


if __name__ == "__main__":
    answer_questions(f"requests {requests.__version__}", Client)
