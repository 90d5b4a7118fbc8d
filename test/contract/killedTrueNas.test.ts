import { isAll } from '../support/extent';
import { trueNas } from '../support/servers';
import { describeKills } from './killed.contract';

/*
 * Each takes longer than on Incus. All inside of a copy are tried; elsewhere those that leave another thing behind than their
 * neighbours, since what has been asked of a NAS is done to its end.
 */
describeKills('on TrueNAS 25.10', trueNas('25.10.5'), {
  all: isAll,
  every: isAll ? 1 : 4,
});
