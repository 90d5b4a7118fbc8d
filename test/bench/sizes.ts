import fs from 'node:fs';
import path from 'node:path';
import type { Row } from './measure';

/** What is shipped, in KiB; an entry with everything that it imports before anything is asked for. */
export function sizes(dist: string): Row[] {
  const file = (name: string) => fs.statSync(path.join(dist, name)).size;
  const row = (operation: string, bytes: number, limitKiB: number): Row => ({
    operation,
    pixels: bytes / 1024,
    unit: 'KiB',
    goal: { value: limitKiB },
  });
  return [
    row('extension entry', closureBytes(dist, 'extension.js'), 60),
    row('CLI entry', closureBytes(dist, 'cli.js'), 60),
    row('tunnel', closureBytes(dist, 'tunnel.js'), 60),
    row('.vsix', file('pixels.vsix'), 300),
  ];
}

function closureBytes(dist: string, entry: string, seen = new Set<string>()): number {
  const file = path.normalize(entry);
  if (seen.has(file)) return 0;
  seen.add(file);
  const code = fs.readFileSync(path.join(dist, file), 'utf8');
  // As esbuild writes them; what is loaded later is .then(()=>a(require("./chunks/b.js"))).
  const atOnce = code.replace(/\.then\(\(\)=>\w*\(?require\("[^"]+"\)/g, '');
  const imported = [...atOnce.matchAll(/require\("(\.[^"]+)"\)/g)];
  const paths = imported.map(([, each]) => path.join(path.dirname(file), each ?? ''));
  return Buffer.byteLength(code) + paths.reduce((sum, next) => sum + closureBytes(dist, next, seen), 0);
}
