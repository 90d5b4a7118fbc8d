import { incus } from '../support/servers';
import { describeKills } from './killed.contract';

describeKills('on Incus', incus, { all: true, every: 1 });
