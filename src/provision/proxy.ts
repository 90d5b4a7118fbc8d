import { isIP } from 'node:net';

/** How a closed network is left. */
export interface ProxySettings {
  /** `http://proxy.example:3128`, maybe with a user and a password. */
  readonly proxy: string | undefined;
  /** Hosts and domains that are reached without it, separated by commas. */
  readonly noProxy: string | undefined;
}

/** A sandbox is always reached by itself. */
const OWN = ['localhost', '127.0.0.1', '::1'];

/** The variables that programs look for a proxy in, in both cases, because each knows one of them. Empty without a proxy. */
export function proxyVariables({ proxy, noProxy }: ProxySettings): Record<string, string> {
  if (proxy === undefined) return {};
  const without = exceptions(noProxy).join(',');
  const lower = { http_proxy: proxy, https_proxy: proxy, no_proxy: without };
  const upper = Object.entries(lower).map(([name, value]) => [name.toUpperCase(), value]);
  // With this Node.js 24 itself looks at them; programs in it did before.
  return { ...lower, ...Object.fromEntries(upper), NODE_USE_ENV_PROXY: '1' } as Record<string, string>;
}

/**
 * Lines of apt.conf(5): sudo and timers run apt without anybody's variables. A domain among the exceptions (`.example`) cannot
 * be said there; apt knows it only by `no_proxy`.
 */
export function aptProxyLines({ proxy, noProxy }: ProxySettings): readonly string[] {
  if (proxy === undefined) return [];
  const hosts = exceptions(noProxy).filter((host) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(host) || isIP(host) === 4);
  return [
    `Acquire::http::Proxy "${proxy}";`,
    `Acquire::https::Proxy "${proxy}";`,
    ...hosts.flatMap((host) => ['http', 'https'].map((scheme) => `Acquire::${scheme}::Proxy::${host} "DIRECT";`)),
  ];
}

function exceptions(noProxy = ''): readonly string[] {
  const given = noProxy
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
  return [...new Set([...given, ...OWN])];
}
