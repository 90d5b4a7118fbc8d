import { incusServer, trueNasServer, type Config } from '../../config';
import { ok, warning, type Finding } from '../../sandbox/check';

/**
 * Which certificates of the server are accepted; undefined where there are none (a unix socket), or where it is not even said
 * which server that is.
 */
export async function certificateFinding(config: Config): Promise<Finding | undefined> {
  if (config.backend === 'truenas') return config.truenas.host === undefined ? undefined : ofTrueNas(config);
  const server = await incusServer(config).catch(() => undefined);
  if (server?.kind !== 'https') return undefined;
  return server.serverCertFile === undefined
    ? byAuthorities()
    : ok(`Only the certificate in ${server.serverCertFile} is accepted.`);
}

function ofTrueNas(config: Config): Finding {
  const { trust } = trueNasServer(config);
  switch (trust.kind) {
    case 'pin':
      return ok(`Only the certificate with the fingerprint ${trust.fingerprint256} is accepted.`);
    case 'ca':
      return ok(`A certificate is accepted when ${trust.file} vouches for it.`);
    case 'system':
      return byAuthorities();
    case 'insecure':
      return warning(
        'Any certificate is accepted, so that anybody between here and the NAS can read the API key.',
        'Run "Pixels: Connect to TrueNAS…" in the editor, which pins the certificate, or set truenas.fingerprint.',
      );
  }
}

function byAuthorities(): Finding {
  return ok('A certificate is accepted when an authority that this machine trusts vouches for it.');
}
