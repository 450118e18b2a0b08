/*
 * Verifies certificate paths with libcrypto as a TLS server verifies its clients. Each line of the input is
 *
 *   SECONDS USAGES LEAF INTERMEDIATES ANCHORS
 *
 * with the time of the verification in seconds since 1970, USAGES "client" or "client+server", certificates as the
 * base64 of their DER, several of them joined by commas, and "-" for none. Each line of the output is two verdicts,
 * separated by a tab: of the default verification and of X509_V_FLAG_X509_STRICT. A verdict is "ok" or the error.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What Debian's OpenSSL and OpenSSL 3.2 have as default: it refuses SHA-1 and RSA keys below 2048 bits. */
#define SECURITY_LEVEL 2

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static X509 *read_certificate(const char *base64) {
  size_t length = strlen(base64);
  unsigned char *der = malloc(length + 1);
  if (der == NULL) die("out of memory");
  int size = EVP_DecodeBlock(der, (const unsigned char *)base64, (int)length);
  if (size < 0) die("a certificate that is not base64");
  /* EVP_DecodeBlock counts the bytes of the padding. */
  for (size_t end = length; end > 0 && base64[end - 1] == '='; end--) size--;
  const unsigned char *at = der;
  X509 *certificate = d2i_X509(NULL, &at, size);
  if (certificate != NULL && at != der + size) {
    X509_free(certificate);
    certificate = NULL;
  }
  free(der);
  return certificate;
}

/* Sets *unreadable where one can't be read; it is then left out. */
static STACK_OF(X509) *read_list(char *text, int *unreadable) {
  STACK_OF(X509) *list = sk_X509_new_null();
  if (list == NULL) die("out of memory");
  if (strcmp(text, "-") == 0) return list;
  char *rest = NULL;
  for (char *item = strtok_r(text, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
    X509 *certificate = read_certificate(item);
    if (certificate == NULL) *unreadable = 1;
    else if (!sk_X509_push(list, certificate)) die("out of memory");
  }
  return list;
}

static void verify(char *verdict, size_t size, X509 *leaf, STACK_OF(X509) *intermediates, X509_STORE *store,
                   time_t at, const char *usages, unsigned long flags) {
  const char *names[] = {"ssl_client", "ssl_server"};
  int count = strcmp(usages, "client+server") == 0 ? 2 : 1;
  snprintf(verdict, size, "ok");
  for (int i = 0; i < count; i++) {
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context == NULL || !X509_STORE_CTX_init(context, store, leaf, intermediates)) die("no verification");
    /* Sets purpose and trust, as libssl does. */
    if (!X509_STORE_CTX_set_default(context, names[i])) die("no parameters");
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, at);
    X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(parameters, flags);
    int accepted = X509_verify_cert(context) == 1;
    if (!accepted) {
      int error = X509_STORE_CTX_get_error(context);
      snprintf(verdict, size, "%s (certificate %d of the path)", X509_verify_cert_error_string(error),
               X509_STORE_CTX_get_error_depth(context));
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    if (!accepted) return;
  }
}

static void judge(char *line) {
  char *rest = NULL;
  char *seconds = strtok_r(line, " ", &rest);
  char *usages = strtok_r(NULL, " ", &rest);
  char *leaf_text = strtok_r(NULL, " ", &rest);
  char *intermediates_text = strtok_r(NULL, " ", &rest);
  char *anchors_text = strtok_r(NULL, " ", &rest);
  if (anchors_text == NULL) die("a line of fewer than five fields");
  int unreadable = 0;
  int unreadable_anchor = 0;
  X509 *leaf = read_certificate(leaf_text);
  STACK_OF(X509) *intermediates = read_list(intermediates_text, &unreadable);
  STACK_OF(X509) *anchors = read_list(anchors_text, &unreadable_anchor);
  X509_STORE *store = X509_STORE_new();
  if (store == NULL) die("out of memory");
  for (int i = 0; i < sk_X509_num(anchors); i++) X509_STORE_add_cert(store, sk_X509_value(anchors, i));
  ERR_clear_error();
  if (leaf == NULL || unreadable) {
    /* A handshake ends at a certificate that can't be parsed, whether the path needs it or not. */
    printf("unreadable certificate\tunreadable certificate\n");
  } else {
    char plain[300], strict[300];
    time_t at = (time_t)strtoll(seconds, NULL, 10);
    verify(plain, sizeof plain, leaf, intermediates, store, at, usages, 0);
    verify(strict, sizeof strict, leaf, intermediates, store, at, usages, X509_V_FLAG_X509_STRICT);
    printf("%s\t%s\n", plain, strict);
  }
  fflush(stdout);
  X509_free(leaf);
  sk_X509_pop_free(intermediates, X509_free);
  sk_X509_pop_free(anchors, X509_free);
  X509_STORE_free(store);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    puts(OpenSSL_version(OPENSSL_VERSION));
    return 0;
  }
  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;
  while ((length = getline(&line, &capacity, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    judge(line);
  }
  free(line);
  return 0;
}
