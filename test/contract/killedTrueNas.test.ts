import { isBrief } from '../support/extent';
import { trueNas } from '../support/servers';
import { describeKills } from './killed.contract';

/*
 * Each takes longer than on Incus. All inside of a copy are tried; elsewhere those that leave another thing behind than their
 * neighbours, since what has been asked of a NAS is done to its end. PIXELS_TEST_ALL_KILLS=1 tries all the others too.
 */
describeKills('on TrueNAS 25.10', trueNas('25.10.5'), {
  all: Boolean(process.env['PIXELS_TEST_ALL_KILLS']),
  every: isBrief ? 4 : 1,
});
