import type { Log } from '../../sandbox/log';
import type { TrueNasApi } from '../api';
import { chosenNic, type Nic, type NicChoices, type NicOption } from '../common/nic';
import { choicesSchema, type GlobalConfig } from './wire';

interface Choice {
  readonly network: string | undefined;
  readonly nic: NicOption;
  readonly log: Log;
}

/** The devices of a new instance. None leaves it the NIC of the default profile. */
export async function nicDevices(
  api: TrueNasApi,
  config: GlobalConfig,
  choice: Choice,
  signal?: AbortSignal,
): Promise<object[]> {
  const nic = await nicFor(api, config, choice, signal);
  return nic === undefined ? [] : [deviceOf(nic)];
}

/** The NIC of a new instance; undefined leaves it that of the default profile. */
export async function nicFor(
  api: TrueNasApi,
  // With a bridge in the global settings, the default profile has a NIC on that bridge (MW:plugins/virt/global.py).
  { bridge }: GlobalConfig,
  choice: Choice,
  signal?: AbortSignal,
): Promise<Nic | undefined> {
  const choices: NicChoices = async (kind, until) =>
    Object.keys(await api.call('virt.device.nic_choices', [kind], choicesSchema, { signal: until }));
  return chosenNic(api, { ...choice, bridge, choices }, signal);
}

/** The first NIC is named `eth0` by the server, which puts it in place of the default profile's. */
function deviceOf({ nicType, parent, mac }: Nic): object {
  return { dev_type: 'NIC', nic_type: nicType, parent, ...(mac === undefined ? {} : { mac }) };
}
