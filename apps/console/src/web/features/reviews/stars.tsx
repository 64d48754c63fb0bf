import { Star } from 'lucide-react';

export function Stars({ rating }: { readonly rating: number }) {
  return (
    <span className="stars">
      <span className="visually-hidden">{rating} of 5 stars</span>
      {[1, 2, 3, 4, 5].map(step => (
        <Star key={step} size={15} aria-hidden="true" className={step <= rating ? 'star-on' : 'star-off'} />
      ))}
    </span>
  );
}
