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
        response = self.current().get(url)
        return response.status_code, response.text

    def current(self):
        version = self.mounted.version()
        if version == self.loaded:
            return self.client
        try:
            fresh = client_of(version)
        except FileNotFoundError:
            # The kubelet has removed the folder before the files were read: the next request finds the new one.
            if self.client is None:
                raise
            return self.client
        # A program with threads closes the former client when its requests have ended.
        if self.client is not None:
            self.client.close()
        self.client, self.loaded = fresh, version
        return fresh


def client_of(version):
    """A context keeps the certificate that it was given, so a new one is made. It trusts these CAs alone."""
    context = ssl.create_default_context(cafile=f"{version}/ca.crt")
    context.load_cert_chain(f"{version}/tls.crt", f"{version}/tls.key")
    return httpx.Client(verify=context, trust_env=False, timeout=10)


if __name__ == "__main__":
    answer_questions(f"httpx {httpx.__version__}", Client)
