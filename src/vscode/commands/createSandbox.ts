import * as vscode from 'vscode';
import type { Wish } from '../../app/order';
import { chosenLimits } from '../../sandbox/limits';
import type { SandboxName } from '../../sandbox/name';
import type { Face } from '../face';
import { askAll, type Step } from '../input';
import { askCpu, askMemory } from './create/askLimits';
import { askEgress, type EgressChoice } from './create/askEgress';
import { askName } from './create/askName';
import { askSource } from './create/askSource';
import { existingNames } from './create/existingNames';
import { makeSandbox } from './create/makeSandbox';
import { numberOf } from './create/numbers';

/**
 * Name, source, CPUs, memory, what it may reach; then makes it. The configuration's defaults are filled in, except what the server cannot
 * give; what it cannot limit at all is not asked for.
 */
export async function createSandbox(face: Face): Promise<void> {
  const title = vscode.l10n.t('Create Sandbox');
  const { info, taken, defaults } = await face.current.use(async ({ config, host }) => {
    const about = await host.info();
    const asked = { limits: {}, defaults: config.defaults, onLeftOut: (sentence: string) => face.log.warn(sentence) };
    return {
      info: about,
      taken: await existingNames(host),
      defaults: await chosenLimits({ info: () => Promise.resolve(about) }, asked),
    };
  });
  let name: SandboxName | undefined;
  let source: Wish | undefined;
  let cpu = String(defaults.cpu ?? '');
  let memory = String(defaults.memoryMiB ?? '');
  let egress = 'usual' as EgressChoice;
  const steps: Step[] = [
    async (position) => {
      const answer = await askName({ title, position, taken, value: name ?? '' });
      if (answer.kind === 'answer') name = answer.value;
      return answer;
    },
    async (position) => {
      const answer = await askSource(face, info, { title, position });
      if (answer.kind === 'answer') source = answer.value;
      return answer;
    },
    async (position) => {
      const answer = await askCpu({ title, position, info, source, value: cpu });
      if (answer.kind === 'answer') cpu = answer.value;
      return answer;
    },
  ];
  if (info.lacks.memoryLimit === undefined) {
    steps.push(async (position) => {
      const answer = await askMemory({ title, position, info, source, value: memory });
      if (answer.kind === 'answer') memory = answer.value;
      return answer;
    });
  }
  steps.push(async (position) => {
    const answer = await askEgress(face, { title, position, source });
    if (answer.kind === 'answer') egress = answer.value;
    return answer;
  });
  if (!(await askAll(steps)) || name === undefined || source === undefined) return;
  const limits = { cpu: numberOf(cpu), memoryMiB: numberOf(memory) };
  await makeSandbox(face, name, source, limits, egress === 'usual' ? undefined : egress);
}
