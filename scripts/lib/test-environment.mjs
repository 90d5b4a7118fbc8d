/** What the suites find in their environment; documented at the top of ../test.mjs. */
import { editorPaths, installedChromium } from './editor.mjs';
import { bareAlias, defaultAlias, ensureBuiltImage } from './image.mjs';
import { step } from './steps.mjs';

/** Both images, built from the mirror even where the image server can be reached: the suites rely on what is in them. */
export async function testImages(socket) {
  for (const alias of [defaultAlias(), bareAlias]) {
    await step(`Image ${alias}`, async (note) => note(await ensureBuiltImage(socket, alias)));
  }
}

export async function daemonEnvironment(daemon) {
  return {
    PIXELS_TEST_DAEMON: daemon.base,
    PIXELS_TEST_SOCKET: daemon.socket,
    PIXELS_TEST_HTTPS: await daemon.https(),
    PIXELS_TEST_CLIENT_CERT: daemon.clientCertificate,
    PIXELS_TEST_CLIENT_KEY: daemon.clientKey,
    PIXELS_TEST_SERVER_CERT: daemon.serverCertificate,
    PIXELS_TEST_IMAGE: defaultAlias(),
    PIXELS_TEST_BARE_IMAGE: bareAlias,
    PIXELS_TEST_EDITOR: editorPaths().directory,
    ...(installedChromium() ? { PIXELS_TEST_CHROMIUM: installedChromium() } : {}),
  };
}
