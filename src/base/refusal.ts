/** Why the program does not do what it was started for; the message is all that there is to say to who runs it. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
}
