use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A body that can be made of bytes, around one that cannot. See
    /// [`wrap_body`](super::RateLimitLayer::wrap_body).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use casgate_tower::ResponseBody;
    /// use http_body::Body;
    ///
    /// let served = ResponseBody::new(http_body_util::Empty::<Bytes>::new());
    /// assert!(served.is_end_stream());
    /// let answer = ResponseBody::<http_body_util::Empty<Bytes>>::from(Bytes::from("denied"));
    /// assert_eq!(answer.size_hint().exact(), Some(6));
    /// ```
    #[derive(Debug)]
    #[project = Projected]
    pub struct ResponseBody<B> {
        #[pin]
        body: Either<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = ProjectedEither]
    enum Either<B> {
        Inner { #[pin] body: B },
        Own { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    /// Wraps the body of a service.
    ///
    /// ```
    /// # use casgate_tower::ResponseBody;
    /// let response = http::Response::new(String::from("served"));
    /// let response = response.map(ResponseBody::new);
    /// # drop(response);
    /// ```
    pub const fn new(body: B) -> Self {
        Self { body: Either::Inner { body } }
    }
}

/// The layer's own answer.
impl<B> From<Bytes> for ResponseBody<B> {
    fn from(bytes: Bytes) -> Self {
        Self { body: Either::Own { bytes } }
    }
}

/// An empty body of the layer's own.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.project() {
            ProjectedEither::Inner { body } => body.poll_frame(cx),
            ProjectedEither::Own { bytes } if bytes.is_empty() => Poll::Ready(None),
            ProjectedEither::Own { bytes } => {
                let all = std::mem::take(bytes);
                Poll::Ready(Some(Ok(Frame::data(all.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Either::Inner { body } => body.is_end_stream(),
            Either::Own { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Either::Inner { body } => body.size_hint(),
            Either::Own { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
