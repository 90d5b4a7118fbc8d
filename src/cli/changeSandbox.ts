import type { Pixels } from '../app/pixels';
import type { SandboxName } from '../sandbox/name';
import type { Cli } from './cli';
import { sandboxJson } from './json';
import { updateSshFiles } from './sshFiles';
import { waitForAddress } from './waitForAddress';

/** Does something to a sandbox that stays, brings its SSH entry up to date, and says how it is now. */
export function changeSandbox(
  cli: Cli,
  name: SandboxName,
  done: string,
  change: (pixels: Pixels) => Promise<void>,
): Promise<number> {
  return cli.use(async (pixels) => {
    await change(pixels);
    await updateSshFiles(cli, pixels);
    cli.say(done);
    if (!cli.flags.json) return 0;
    const sandbox = await pixels.host.get(name, cli.run.signal);
    cli.print(sandboxJson(await waitForAddress(pixels, sandbox, cli.run.signal), pixels), String);
    return 0;
  });
}
