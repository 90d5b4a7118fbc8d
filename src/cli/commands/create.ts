import { orderFor } from '../../app/order';
import { parseBaseName } from '../../sandbox/base';
import { PixelsError } from '../../sandbox/errors';
import { parseName, parseSource } from '../../sandbox/name';
import { defineCommand, type Options, type Values } from '../command';
import { MAKE_OPTIONS, makeSandbox } from '../make';

const OPTIONS = {
  image: { type: 'string', value: 'IMAGE', help: 'Image to make it from; default: a base, or defaults.image' },
  from: { type: 'string', value: 'SOURCE[:LABEL]', help: 'Copy a sandbox, or one of its checkpoints, instead' },
  base: {
    type: 'string',
    value: 'BASE',
    help: 'Base to clone, or to do the same as; default: that of provision.recipe',
  },
  recipe: { type: 'string', value: 'RECIPE', help: 'What is put in, in the background; default: provision.recipe' },
  ...MAKE_OPTIONS,
} as const satisfies Options;

export const create = defineCommand({
  name: 'create',
  summary: 'Make a sandbox and start it',
  operands: { name: 'NAME' },
  options: OPTIONS,
  details:
    'Where nothing is said about it, it is cloned from the base of provision.recipe, which takes seconds. Where that is\n' +
    'missing or stale, the recipe is put in here, and the base is built in the background for the next time.\n' +
    'An image that is not on the server is fetched from the image server. When it fails or is cancelled, nothing stays.',
  async run(cli, operands, options) {
    const name = parseName(operands.name);
    check(options);
    const { image, recipe } = options;
    const from = options.from === undefined ? undefined : parseSource(options.from);
    const base = options.base === undefined ? undefined : parseBaseName(options.base);
    return makeSandbox(cli, name, options, (pixels, provision) =>
      orderFor(pixels, { from, image, base, recipe }, provision, cli.run.signal),
    );
  },
});

/** What needs no server to be seen. */
function check({ image, from, base, recipe, 'no-provision': plain }: Values<typeof OPTIONS>): void {
  const sources = [image, from, base].filter((source) => source !== undefined);
  if (sources.length > 1) {
    throw new PixelsError('invalid', 'A sandbox is made of one thing: --image, --from or --base.');
  }
  if (base !== undefined && recipe !== undefined) {
    throw new PixelsError('invalid', 'A base has a recipe already: --base or --recipe.');
  }
  if (plain && (recipe ?? base) !== undefined) {
    throw new PixelsError('invalid', 'A recipe needs the user and what else --no-provision leaves out.');
  }
}
