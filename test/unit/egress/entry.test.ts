import { describe, expect, it } from 'vitest';
import { covers, formatEntry, parseEntry } from '../../../src/egress/entry';
import type { PixelsError } from '../../../src/sandbox/errors';

const normalised = (typed: string): string => formatEntry(parseEntry(typed));

describe('what a person types becomes', () => {
  it.each([
    ['example.org', 'example.org'],
    ['  Example.ORG. ', 'example.org'],
    ['*.example.org', 'example.org'],
    ['.example.org', 'example.org'],
    ['=example.org', '=example.org'],
    ['= Example.org', '=example.org'],
    ['=localhost', '=localhost'],
    ['example.org:443', 'example.org:443'],
    ['*.example.org:8080', 'example.org:8080'],
    ['_acme.example.org', '_acme.example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['example。org', 'example.org'],
    ['faß.example', 'xn--fa-hia.example'],
    ['https://example.org', 'example.org'],
    ['HTTPS://user:secret@Example.org:8443/path?query#fragment', 'example.org:8443'],
    ['example.org/path/to', 'example.org'],
    ['wss://example.org', 'example.org'],
    ['git@github.com:owner/repository.git', 'github.com'],
    ['ssh://git@github.com:22/owner', 'github.com:22'],
    ['http://10.1.2.3/x', '10.1.2.3'],
    ['https://[2001:db8::1]:8443/', '[2001:db8::1]:8443'],
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:53', '10.0.0.1:53'],
    ['10.0.0.1/32', '10.0.0.1'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.168.77.130/25', '192.168.77.128/25'],
    ['10.0.0.0/8:443', '10.0.0.0/8:443'],
    ['2001:DB8::', '2001:db8::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:ffff::1/33', '2001:db8:8000::/33'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::/32]:443', '[2001:db8::/32]:443'],
    ['2001:db8::/32:443', '[2001:db8::/32]:443'],
    ['::1', '::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ])('%s → %s', (typed, expected) => {
    expect(normalised(typed)).toBe(expected);
    expect(normalised(expected)).toBe(expected);
  });
});

describe('refused with what to do is', () => {
  const long = `${'a'.repeat(63)}.`.repeat(4);
  it.each([
    ['', /empty/, /example\.org/],
    ['   ', /empty/, /example\.org/],
    ['=', /empty/, /example\.org/],
    ['*', /everything/, /unrestricted/],
    ['*.', /everything/, /unrestricted/],
    ['0.0.0.0/0', /every address/, /unrestricted/],
    ['::/0', /every address/, /unrestricted/],
    ['com', /ends with "\.com"/, /"=com"/],
    ['*.com', /ends with "\.com"/, /"=com"/],
    ['www.*.example.org', /does not stand alone/, /"example\.org"/],
    ['ex*mple.org', /does not stand alone/, /"org"/],
    ['*example.org', /does not stand alone/, /Type/],
    ['*.*.example.org', /does not stand alone/, /"example\.org"/],
    ['=*.example.org', /both/, /Leave out/],
    ['example..org', /no domain/, /example\.org/],
    ['exa mple.org', /no domain/, /example\.org/],
    ['-example.org', /no domain/, /example\.org/],
    ['example-.org', /no domain/, /example\.org/],
    ['example.org\naddress=/x/', /no domain/, /example\.org/],
    ['exam;ple.org', /no domain/, /example\.org/],
    ['a"b.org', /no domain/, /example\.org/],
    [`${'a'.repeat(64)}.org`, /64 characters long; 63/, /./],
    [`${long}org`, /259 characters long; 253/, /./],
    ['a'.repeat(2001), /2001 characters long/, /example\.org/],
    ['example.org:0', /no port/, /"example\.org:443"/],
    ['example.org:65536', /no port/, /"example\.org:443"/],
    ['example.org:https', /no port/, /"example\.org:443"/],
    ['example.org:', /no port/, /"example\.org:443"/],
    ['10.0.0.0/33', /no range/, /10\.0\.0\.0\/8/],
    ['10.0.0.0/x', /no range/, /10\.0\.0\.0\/8/],
    ['10.0.0.0/8/8', /no range/, /10\.0\.0\.0\/8/],
    ['2001:db8::/129', /no range/, /2001:db8::\/32/],
    ['fe80::1%eth0', /no domain|no port/, /./],
    ['010.0.0.1', /unusual way to write 8\.0\.0\.1/, /"8\.0\.0\.1"/],
    ['2130706433', /unusual way to write 127\.0\.0\.1/, /./],
    ['0x7f.1', /unusual way to write 127\.0\.0\.1/, /./],
    ['https://', /names no host/, /example\.org/],
    ['file:///etc/passwd', /names no host/, /example\.org/],
  ])('%.80j', (typed, sentence, hint) => {
    let error: unknown;
    try {
      parseEntry(typed);
    } catch (thrown) {
      error = thrown;
    }
    const { kind, message, hint: next = '' } = error as PixelsError;
    expect({ kind }).toEqual({ kind: 'invalid' });
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^.*\.$/s);
    expect(next).toMatch(hint);
  });
});

describe('an entry covers', () => {
  it.each([
    ['example.org', 'example.org', true],
    ['example.org', 'a.b.example.org', true],
    ['example.org', '=a.example.org:443', true],
    ['example.org', 'myexample.org', false],
    ['a.example.org', 'example.org', false],
    ['=example.org', '=example.org', true],
    ['=example.org', 'example.org', false],
    ['=example.org', '=www.example.org', false],
    ['example.org:443', 'www.example.org:443', true],
    ['example.org:443', 'www.example.org', false],
    ['example.org:443', 'www.example.org:80', false],
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.1.2.3:22', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['2001:db8::/32', '2001:db8:1::/48', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', 'example.org', false],
    ['example.org', '10.0.0.1', false],
  ])('%s, %s: %s', (outer, inner, expected) => {
    expect(covers(parseEntry(outer), parseEntry(inner))).toBe(expected);
  });
});
