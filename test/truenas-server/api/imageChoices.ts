import type { Nas } from '../nas';

/**
 * The images that can be made into containers: those that the daemon has under an alias, since no image server is asked. Returns what
 * `virt.instance.image_choices` gives.
 */
export async function imageChoices({ instances }: Nas): Promise<Record<string, unknown>> {
  const images = (await instances.incus.call('GET', '/1.0/images?recursion=1')) as Image[];
  const named = images.flatMap((image) => image.aliases.map(({ name }) => [name, image] as const));
  return Object.fromEntries(
    named.map(([alias, { properties, architecture }]) => {
      const { os = 'unknown', release = 'unknown', variant = 'default' } = properties;
      const arch = ARCHITECTURES[architecture] ?? architecture;
      const label = `${os} ${release} (${arch}, ${variant})`;
      return [alias, { label, os, release, archs: [arch], variant, instance_types: ['CONTAINER'], secureboot: null }];
    }),
  );
}

interface Image {
  readonly aliases: readonly { readonly name: string }[];
  readonly properties: Readonly<Record<string, string>>;
  readonly architecture: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
