/**
 * Parks a request until it is answered or its connection closes. `park` stores the function that answers; `left` is
 * called when the connection was first, with that same function, and gives the answer that nobody will read.
 */
export function parkUntilClosed<T>(
  closed: AbortSignal,
  park: (answer: (result: T) => void) => void,
  left: (answer: (result: T) => void) => T,
): Promise<T> {
  return new Promise(resolve => {
    const leave = () => resolve(left(answer));
    const answer = (result: T) => {
      closed.removeEventListener('abort', leave);
      resolve(result);
    };
    park(answer);
    closed.addEventListener('abort', leave);
  });
}
