/** How OpenSSL, GnuTLS, Node.js, Go, rustls, Python and Java say that nobody whom they trust vouches for a server. */
const SAYINGS = [
  /certificate verif(y|ication) failed/i,
  /unable to (get|verify) (local |the first )?(issuer|certificate)/i,
  /self[- ]signed certificate/i,
  /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/,
  /SSL certificate problem/i,
  /server certificate verification failed/i,
  /certificate (is|was) (NOT trusted|signed by unknown authority)|signed by unknown authority/i,
  /invalid peer certificate|UnknownIssuer/,
  /unable to find valid certification path/i,
];

/**
 * What to do about a step that failed because of a certificate, from what it printed; undefined when that was not the reason.
 */
export function certificateHint(output: string): string | undefined {
  if (!SAYINGS.some((saying) => saying.test(output))) return undefined;
  return 'This network signs its own TLS: name the certificate of its authority as ca_certificates under [provision].';
}
