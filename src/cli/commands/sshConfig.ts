import fs from 'node:fs/promises';
import { PixelsError } from '../../sandbox/errors';
import { defineCommand } from '../command';
import { installInclude, removeInclude } from '../sshInclude';

export const sshConfig = defineCommand({
  name: 'ssh-config',
  summary: 'Print the SSH entries of the sandboxes, or make ssh know them',
  operands: {},
  options: {
    install: { type: 'boolean', help: 'Add one Include line to your SSH configuration, after showing the difference' },
    remove: { type: 'boolean', help: 'Take that line out again and delete ~/.ssh/pixels, with the key in it' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask' },
  },
  async run(cli, _operands, { install = false, remove = false, yes = false }) {
    if (install && remove) throw new PixelsError('invalid', 'Either --install or --remove.');
    return cli.use(async (pixels) => {
      const { ssh } = pixels;
      if (remove) return removeInclude(cli, ssh, yes);
      await ssh.ensureKeyPair();
      const sandboxes = await pixels.host.list(cli.run.signal);
      await pixels.syncSsh(sandboxes);
      if (install) return installInclude(cli, ssh, yes);
      const { config: path } = ssh.paths;
      const entries = await fs.readFile(path, 'utf8');
      const included = (await ssh.planInclude()).kind === 'present';
      const hosts = sandboxes
        .filter(({ state }) => state.sshUser !== undefined)
        .map((sandbox) => pixels.sshOf(sandbox));
      cli.print({ path, included, hosts }, () => entries);
      if (!included) cli.say('Your SSH configuration does not include these: "pixels ssh-config --install".');
      return 0;
    });
  },
});
