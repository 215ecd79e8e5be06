/** XTRIM MINID, by which streams are kept short, came with 6.2. */
const NEEDED = { major: 6, minor: 2 };

/**
 * Whether a Redis is new enough for the bus.
 * @param info its answer to INFO server
 * @throws Error that says which version it is, and which is needed
 */
export function requireVersion(info: string): void {
  const [, version, major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info) ?? [];
  if (version === undefined) return; // some servers that speak its protocol tell no version
  const isNew = Number(major) > NEEDED.major || (Number(major) === NEEDED.major && Number(minor) >= NEEDED.minor);
  if (!isNew) throw new Error(`this Redis is ${version}, and ${NEEDED.major}.${NEEDED.minor} or newer is needed`);
}
