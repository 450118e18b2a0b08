#include "fields.h"

static const char *comma(int at) { return at == 0 ? "" : ","; }

void put_name(FILE *out, const char *field, const X509_NAME *name) {
  fprintf(out, ",\"%s\":[", field);
  for (int at = 0; at < X509_NAME_entry_count(name); at++) {
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);
    fprintf(out, "%s[", comma(at));
    put_oid(out, X509_NAME_ENTRY_get_object(entry));
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    if (length < 0) refuse("value of a name");
    fputc(',', out);
    put_hex(out, utf8, length < 0 ? 0 : (size_t)length);
    OPENSSL_free(utf8);
    fputc(']', out);
  }
  fputc(']', out);
}

void put_shape(FILE *out, const X509_NAME *name) {
  int count = X509_NAME_entry_count(name);
  fputs(",\"subjectRdns\":[", out);
  for (int at = 0; at < count;) {
    int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, at));
    int start = at;
    while (at < count && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, at)) == set) at++;
    fprintf(out, "%s%d", comma(start), at - start);
  }
  fputs("],\"subjectTags\":[", out);
  for (int at = 0; at < count; at++)
    fprintf(out, "%s%d", comma(at), ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
  fputc(']', out);
}

void put_extensions(FILE *out, const X509 *certificate) {
  fputs(",\"extensions\":[", out);
  for (int at = 0; at < X509_get_ext_count(certificate); at++) {
    X509_EXTENSION *extension = X509_get_ext(certificate, at);
    fprintf(out, "%s[", comma(at));
    put_oid(out, X509_EXTENSION_get_object(extension));
    fprintf(out, ",%s]", X509_EXTENSION_get_critical(extension) ? "true" : "false");
  }
  fputc(']', out);
}

/* NULL where there is no such extension; refuses one that is malformed or there twice. */
static void *extension(const X509 *certificate, int nid) {
  int state = 0;
  void *value = X509_get_ext_d2i(certificate, nid, &state, NULL);
  if (value == NULL && state != -1) refuse(OBJ_nid2sn(nid));
  return value;
}

static void put_names_of(FILE *out, const GENERAL_NAMES *names, const char *field, int type) {
  int found = 0;
  fprintf(out, ",\"%s\":[", field);
  for (int at = 0; at < sk_GENERAL_NAME_num(names); at++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, at);
    if (name->type != type) continue;
    const ASN1_STRING *value = type == GEN_IPADD ? name->d.iPAddress : name->d.ia5;
    fputs(comma(found++), out);
    put_hex(out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
  }
  fputc(']', out);
}

void put_names(FILE *out, const X509 *certificate) {
  GENERAL_NAMES *names = extension(certificate, NID_subject_alt_name);
  put_names_of(out, names, "dnsNames", GEN_DNS);
  put_names_of(out, names, "emailAddresses", GEN_EMAIL);
  put_names_of(out, names, "uris", GEN_URI);
  put_names_of(out, names, "ipAddresses", GEN_IPADD);
  int found = 0;
  fputs(",\"otherNames\":[", out);
  for (int at = 0; at < sk_GENERAL_NAME_num(names); at++) {
    int type = sk_GENERAL_NAME_value(names, at)->type;
    if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI && type != GEN_IPADD)
      fprintf(out, "%s%d", comma(found++), type);
  }
  fputc(']', out);
  GENERAL_NAMES_free(names);
}

void put_usages(FILE *out, const X509 *certificate) {
  ASN1_BIT_STRING *bits = extension(certificate, NID_key_usage);
  fputs(",\"keyUsage\":", out);
  if (bits == NULL) {
    fputs("null", out);
  } else {
    int found = 0;
    fputc('[', out);
    for (int bit = 0; bit < 9; bit++)
      if (ASN1_BIT_STRING_get_bit(bits, bit)) fprintf(out, "%s%d", comma(found++), bit);
    fputc(']', out);
  }
  ASN1_BIT_STRING_free(bits);
  EXTENDED_KEY_USAGE *purposes = extension(certificate, NID_ext_key_usage);
  fputs(",\"extendedKeyUsage\":", out);
  fputs(purposes == NULL ? "null" : "[", out);
  for (int at = 0; at < sk_ASN1_OBJECT_num(purposes); at++) {
    fputs(comma(at), out);
    put_oid(out, sk_ASN1_OBJECT_value(purposes, at));
  }
  if (purposes != NULL) fputc(']', out);
  EXTENDED_KEY_USAGE_free(purposes);
}

void put_constraints(FILE *out, const X509 *certificate) {
  BASIC_CONSTRAINTS *constraints = extension(certificate, NID_basic_constraints);
  fprintf(out, ",\"isCA\":%s", constraints == NULL ? "null" : constraints->ca ? "true" : "false");
  if (constraints != NULL && constraints->pathlen != NULL)
    fprintf(out, ",\"pathLength\":%ld", ASN1_INTEGER_get(constraints->pathlen));
  else
    fputs(",\"pathLength\":null", out);
  BASIC_CONSTRAINTS_free(constraints);
}

static void put_octets(FILE *out, const char *field, const ASN1_OCTET_STRING *octets) {
  fprintf(out, ",\"%s\":", field);
  if (octets == NULL)
    fputs("null", out);
  else
    put_hex(out, ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
}

void put_key_ids(FILE *out, const X509 *certificate) {
  ASN1_OCTET_STRING *own = extension(certificate, NID_subject_key_identifier);
  AUTHORITY_KEYID *issuer = extension(certificate, NID_authority_key_identifier);
  put_octets(out, "subjectKeyId", own);
  put_octets(out, "authorityKeyId", issuer == NULL ? NULL : issuer->keyid);
  ASN1_OCTET_STRING_free(own);
  AUTHORITY_KEYID_free(issuer);
}
