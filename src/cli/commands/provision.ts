import { PixelsError } from '../../sandbox/errors';
import { parseName } from '../../sandbox/name';
import { defineCommand } from '../command';
import { passThrough } from '../passThrough';
import { waitForProvisioning } from '../provisioning';

export const provision = defineCommand({
  name: 'provision',
  summary: 'Put a recipe into a sandbox, or try again what failed',
  operands: { name: 'NAME' },
  options: {
    recipe: {
      type: 'string',
      value: 'RECIPE',
      help: 'Its name, or the path of its file; default: the one from before',
    },
    wait: { type: 'boolean', help: 'Wait until it has ended' },
    log: { type: 'boolean', help: 'Show what the steps printed instead' },
    follow: { type: 'boolean', short: 'f', help: 'With --log: go on as it grows' },
  },
  details:
    'What is there already is skipped. It goes on in the background, also when the sandbox is restarted; "pixels status"\n' +
    'says how far it is.',
  async run(cli, operands, { recipe, wait, log, follow }) {
    const name = parseName(operands.name);
    if (log && (recipe !== undefined || wait)) {
      throw new PixelsError('invalid', '--log only shows; it goes together with --follow alone.');
    }
    if (follow && !log) throw new PixelsError('invalid', '--follow goes together with --log.');
    return cli.use(async (pixels) => {
      if (log) {
        const { logRequest } = await import('../../provision/provisionLog');
        return passThrough(cli, await pixels.host.exec(name, logRequest({ follow: follow === true }), cli.run.signal));
      }
      await pixels.lifecycle.provisioner.begin(name, recipe, cli.run);
      if (wait) await waitForProvisioning(cli, pixels, name);
      cli.say(wait ? `${name} is complete.` : `It goes on in the background: pixels status ${name} --wait`);
      return 0;
    });
  },
});
