import { parseName } from '../../sandbox/name';
import { defineCommand } from '../command';
import { updateSshFiles } from '../sshFiles';

export const finish = defineCommand({
  name: 'finish',
  summary: 'Finish what was interrupted on a sandbox',
  operands: { name: 'NAME' },
  options: {},
  details: 'A create, clone, restore or destroy whose process was killed leaves a mark, with which this completes it.',
  run(cli, operands) {
    const name = parseName(operands.name);
    return cli.use(async (pixels) => {
      const { mark } = await pixels.host.get(name, cli.run.signal);
      await pixels.lifecycle.finish(name, cli.run);
      if (mark !== undefined) await updateSshFiles(cli, pixels);
      cli.say(
        mark === undefined ? `Nothing was interrupted on ${name}.` : `The ${mark.action} of ${name} is finished.`,
      );
      return 0;
    });
  },
});
