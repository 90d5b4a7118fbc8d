/**
 * PIXELS_TEST_BRIEF=1, as in CI, which has 25 minutes. The suite over the port, bad weather and logins stay on every kind of server;
 * what is written once against the port is tried on one of them only, and a part of what is tried one by one is left out.
 */
export const isBrief = process.env['PIXELS_TEST_BRIEF'] === '1';

/** All of a list, or the first of it where {@link isBrief}. */
export function orFirst<Each>(list: readonly Each[]): readonly Each[] {
  return isBrief ? list.slice(0, 1) : list;
}
