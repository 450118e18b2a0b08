/*
 * Prints what libcrypto reads. Each line of the input is a certificate (DER, base64); each line of the output is a JSON
 * object: the fields of readers/reading.ts, or {"refused": REASON}.
 */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fields.h"

void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

/* Names the call that failed: an error of the same text could come from any. */
static const char *refusal;

void refuse(const char *what) {
  if (refusal == NULL) refusal = what;
}

void put_hex(FILE *out, const unsigned char *bytes, size_t length) {
  fputc('"', out);
  for (size_t at = 0; at < length; at++) fprintf(out, "%02x", bytes[at]);
  fputc('"', out);
}

void put_oid(FILE *out, const ASN1_OBJECT *oid) {
  char text[256];
  int length = OBJ_obj2txt(text, sizeof text, oid, 1);
  if (length <= 0 || length >= (int)sizeof text) die("an object identifier that is too long");
  fprintf(out, "\"%s\"", text);
}

static void put_serial(FILE *out, const X509 *certificate) {
  BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
  if (number == NULL || BN_is_negative(number)) {
    refuse("serial number");
    BN_free(number);
    return;
  }
  unsigned char bytes[64] = {0};
  int length = BN_num_bytes(number);
  if (length > (int)sizeof bytes) die("a serial number that is too long");
  BN_bn2bin(number, bytes);
  fputs(",\"serialNumber\":", out);
  put_hex(out, bytes, length == 0 ? 1 : (size_t)length);
  BN_free(number);
}

static void put_time(FILE *out, const char *field, const ASN1_TIME *time) {
  struct tm parts;
  if (!ASN1_TIME_to_tm(time, &parts)) {
    refuse(field);
    return;
  }
  fprintf(out, ",\"%s\":%lld", field, (long long)timegm(&parts));
}

static void put_key(FILE *out, X509 *certificate) {
  EVP_PKEY *key = X509_get0_pubkey(certificate);
  unsigned char *der = NULL;
  int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (key == NULL || length < 0) {
    refuse("public key");
    return;
  }
  char curve[32] = "";
  const char *name = "unknown";
  int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_ED25519) {
    name = "Ed25519";
  } else if (id == EVP_PKEY_RSA) {
    name = "RSA ";
    snprintf(curve, sizeof curve, "%d", EVP_PKEY_get_bits(key));
  } else if (id == EVP_PKEY_EC) {
    name = "ECDSA P-";
    snprintf(curve, sizeof curve, "%d", EVP_PKEY_get_bits(key));
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, (size_t)length, digest);
  fprintf(out, ",\"key\":\"%s%s\",\"spkiSHA256\":", name, curve);
  put_hex(out, digest, sizeof digest);
  OPENSSL_free(der);
}

static void put_certificate(FILE *out, X509 *certificate) {
  const X509_ALGOR *algorithm;
  const ASN1_OBJECT *oid;
  fprintf(out, "{\"version\":%ld", X509_get_version(certificate) + 1);
  put_serial(out, certificate);
  X509_get0_signature(NULL, &algorithm, certificate);
  X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
  fputs(",\"signatureAlgorithm\":", out);
  put_oid(out, oid);
  put_name(out, "issuer", X509_get_issuer_name(certificate));
  put_name(out, "subject", X509_get_subject_name(certificate));
  put_shape(out, X509_get_subject_name(certificate));
  put_time(out, "notBefore", X509_get0_notBefore(certificate));
  put_time(out, "notAfter", X509_get0_notAfter(certificate));
  put_key(out, certificate);
  put_extensions(out, certificate);
  put_names(out, certificate);
  put_usages(out, certificate);
  put_constraints(out, certificate);
  put_key_ids(out, certificate);
  fputc('}', out);
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
  if (certificate == NULL) refuse("certificate");
  return certificate;
}

static void answer(const char *base64) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) die("out of memory");
  refusal = NULL;
  X509 *certificate = read_certificate(base64);
  if (certificate != NULL) put_certificate(out, certificate);
  fclose(out);
  if (refusal == NULL) {
    puts(text);
  } else {
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    printf("{\"refused\":\"%s: %s\"}\n", refusal, reason);
  }
  ERR_clear_error();
  fflush(stdout);
  X509_free(certificate);
  free(text);
}

int main(int count, char **arguments) {
  (void)arguments;
  if (count > 1) {
    puts(OpenSSL_version(OPENSSL_VERSION));
    return 0;
  }
  char *line = NULL;
  size_t capacity = 0;
  for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    answer(line);
  }
  free(line);
  return 0;
}
