/** What an operator asked for cannot be done; the message is all that there is to say. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}
