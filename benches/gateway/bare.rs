//! A bare reverse proxy on hyper: what the gateway would cost if it did nothing but hand bytes on.
//!
//! The same libraries, the same allocator, and runtimes of the same shape as the gateway's: a thread each, which keeps its
//! connections.

use std::{convert::Infallible, net::SocketAddr};

use http::{Request, Response, StatusCode, Uri};
use http_body_util::{Either, Empty};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

type Pool = Client<HttpConnector, Incoming>;

/// Serves until the process is stopped, and says on standard output where.
pub(crate) fn run(to: SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let workers = std::thread::available_parallelism().unwrap().get();
    let workers: Vec<_> = (0..workers)
        .map(|_| {
            let (sender, receiver) = unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            std::thread::spawn(move || runtime.block_on(serve(receiver, to)));
            sender
        })
        .collect();
    for (stream, worker) in listener.incoming().zip(workers.iter().cycle()) {
        worker.send(stream.unwrap()).unwrap();
    }
}

async fn serve(mut streams: UnboundedReceiver<std::net::TcpStream>, to: SocketAddr) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
    while let Some(stream) = streams.recv().await {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let pool = pool.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| hand_on(&pool, to, request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn hand_on(
    pool: &Pool,
    to: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Either<Incoming, Empty<Bytes>>>, Infallible> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = format!("http://{to}{target}").parse::<Uri>().unwrap();
    let Ok(response) = pool.request(request).await else {
        let mut response = Response::new(Either::Right(Empty::new()));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        return Ok(response);
    };
    Ok(response.map(Either::Left))
}
