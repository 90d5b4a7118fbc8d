import type { ExecRequest } from '../sandbox/host';

/** Prints what the steps of a sandbox's recipe printed; with `follow`, also what they print from now on. */
export function logRequest({ follow }: { readonly follow: boolean }): ExecRequest {
  return { command: ['sh', '-c', SCRIPT, 'pixels', follow ? 'follow' : 'once'] };
}

// The log of this boot is in memory, the one from before on the disk. With neither, the first step has not begun.
const SCRIPT = `
log=/run/pixels/provision.log
[ -e $log ] || [ ! -e /var/lib/pixels/provision/log ] || log=/var/lib/pixels/provision/log
if [ ! -e /var/lib/pixels/provision/plan ]; then echo 'No recipe was put in.' >&2; exit 1; fi
if [ "$1" = follow ]; then exec tail -n +1 -F $log 2>/dev/null; fi
[ ! -e $log ] || exec cat $log`;
