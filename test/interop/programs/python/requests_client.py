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
        try:
            response = self.get_with(version, url)
        except OSError:
            # The kubelet may have removed the folder before the files were read. A GET can be repeated.
            if version == self.mounted.version():
                raise
            response = self.get_with(self.mounted.version(), url)
        return response.status_code, response.text

    def get_with(self, version, url):
        # Connections are pooled by these paths, so a new version of the Secret gets new connections.
        self.session.cert = (f"{version}/tls.crt", f"{version}/tls.key")
        self.session.verify = f"{version}/ca.crt"
        return self.session.get(url, timeout=10)


if __name__ == "__main__":
    answer_questions(f"requests {requests.__version__}", Client)
