/** What was asked for can't be started; the message is one line that says what to do. */
export class StartError extends Error {}
