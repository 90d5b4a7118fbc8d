import { expect, it } from 'vitest';
import { certificateHint } from '../../../src/provision';

it.each([
  ['curl', 'curl: (60) SSL certificate problem: unable to get local issuer certificate'],
  ['apt', 'Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.'],
  ['git', "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none CRLfile: none"],
  ['npm', 'npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error self-signed certificate in certificate chain'],
  ['node', "code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'"],
  ['python', 'ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed'],
  ['go', 'x509: certificate signed by unknown authority'],
  ['rust', 'invalid peer certificate: UnknownIssuer'],
  ['java', 'unable to find valid certification path to requested target'],
])('knows how %s says it', (_, output) => {
  expect(certificateHint(`first\n${output}\nlast`)).toMatch(/ca_certificates under \[provision\]/);
});

it.each([
  '',
  'Temporary failure resolving',
  'certificate expired on a host that is trusted',
  'Could not connect to server',
])('has nothing to say about %j', (output) => {
  expect(certificateHint(output)).toBeUndefined();
});
