/**
 * So many bytes of one stream may be under way, or wait for their reader. At 20 ms from the NAS that is 26 MB/s; more would
 * make a terminal wait longer behind another command's output on the same line.
 */
export const WINDOW_BYTES = 512 * 1024;
