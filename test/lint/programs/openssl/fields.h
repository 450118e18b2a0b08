/* Writes the fields of one certificate as members of a JSON object. */
#ifndef FIELDS_H
#define FIELDS_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Ends the program: what can't happen has happened. */
void die(const char *what);

/* Keeps the first reason of the certificate at hand; its output is then worth nothing. */
void refuse(const char *what);

void put_hex(FILE *out, const unsigned char *bytes, size_t length);
void put_oid(FILE *out, const ASN1_OBJECT *oid);

/* Each begins with a comma. */
void put_name(FILE *out, const char *field, const X509_NAME *name);
void put_shape(FILE *out, const X509_NAME *name);
void put_names(FILE *out, const X509 *certificate);
void put_extensions(FILE *out, const X509 *certificate);
void put_usages(FILE *out, const X509 *certificate);
void put_constraints(FILE *out, const X509 *certificate);
void put_key_ids(FILE *out, const X509 *certificate);

#endif
