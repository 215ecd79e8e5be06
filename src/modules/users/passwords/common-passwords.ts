let common: Promise<ReadonlySet<string>> | undefined;

/** The fifty thousand most common passwords, in lower case; loaded when the first password is chosen. */
export function loadCommonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import("@zxcvbn-ts/language-common").then(({ dictionary }) => new Set(dictionary["passwords-common"]));
  return common;
}
