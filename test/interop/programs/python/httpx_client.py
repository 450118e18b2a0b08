"""httpx: a client for each version of the Secret."""

import ssl

import httpx

from lines import answer_questions
from mounted import Mounted


class Client:
    def __init__(self, folder):
        self.mounted = Mounted(folder)
        self.loaded = None
        self.client = None

    def get(self, url):
        version = self.mounted.version()
        if version != self.loaded:
            fresh = self.client_of(version)
            if self.client is not None:
                self.client.close()
            self.client, self.loaded = fresh, version
        response = self.client.get(url)
        return response.status_code, response.text

    @staticmethod
    def client_of(version):
        # A context keeps the certificate that it was given, so a new one is made. It trusts these CAs alone.
        context = ssl.create_default_context(cafile=f"{version}/ca.crt")
        context.load_cert_chain(f"{version}/tls.crt", f"{version}/tls.key")
        return httpx.Client(verify=context, trust_env=False, timeout=10)


if __name__ == "__main__":
    answer_questions(f"httpx {httpx.__version__}", Client)
