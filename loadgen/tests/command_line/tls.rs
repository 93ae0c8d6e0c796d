//! Servers behind TLS.

use crate::run;

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_names_the_feature_that_it_lacks() {
    let ran = run(crate::program("https://127.0.0.1/"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--features tls"), "{ran:?}");
}

#[cfg(feature = "tls")]
mod with_tls {
    use std::fs;
    use std::io::{BufReader, Read, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use tempfile::TempDir;

    use super::run;
    use crate::requests::request;
    use crate::truth::{KEEP, Truth};
    use crate::{greeter, nobody, program};

    /// A server with a certificate that it has signed itself, and the file of that; `None` without openssl.
    struct SecureServer {
        server: Truth,
        certificate: PathBuf,
        _folder: TempDir,
    }

    /// A certificate and its key, for `localhost` and 127.0.0.1.
    fn certificate(folder: &Path) -> Option<[PathBuf; 2]> {
        let [config, key, certificate] =
            ["openssl.cnf", "key.pem", "certificate.pem"].map(|name| folder.join(name));
        let settings = "[req]\ndistinguished_name=name\nx509_extensions=extensions\n[name]\n[extensions]\n\
            subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        fs::write(&config, settings).unwrap();
        let mut openssl = Command::new("openssl");
        openssl
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-config"])
            .arg(&config)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null());
        match openssl.status() {
            Ok(status) => assert!(status.success(), "openssl: {status}"),
            Err(error) => {
                println!("skipped: openssl: {error}");
                return None;
            }
        }
        Some([certificate, key])
    }

    /// A server whose answers are `body_length` bytes long.
    fn secure_server(body_length: usize) -> Option<SecureServer> {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = certificate(folder.path())?;
        let chain = vec![CertificateDer::from_pem_file(&certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&key).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let answer = match body_length {
            14 => KEEP.to_vec(),
            length => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                [head.as_bytes(), &vec![b'x'; length]].concat()
            }
        };
        let server = Truth::start(move |_, stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(session, stream));
            while request(&mut reader).is_some() {
                if reader.get_mut().write_all(&answer).is_err() {
                    return;
                }
            }
            let _ = reader.read(&mut [0]);
        });
        Some(SecureServer {
            server,
            certificate,
            _folder: folder,
        })
    }

    #[test]
    fn a_load_over_tls_counts_every_answer_and_its_handshakes() {
        let Some(SecureServer {
            server,
            certificate,
            _folder,
        }) = secure_server(14)
        else {
            return;
        };
        let port = server.address.port();
        for (host, arguments, connections) in [
            ("localhost", "--clients=4", 400),
            (
                "127.0.0.1",
                "--clients=4 --requests-per-connection=unlimited",
                4,
            ),
            (
                "localhost",
                "--rate=2000 --threads=2 --requests-per-connection=10",
                0,
            ),
        ] {
            let before = server.accepted();
            let cacert = certificate.display();
            let ran = run(program(&format!(
                "https://{host}:{port}/ --cacert={cacert} --warmup=0s --requests=400 --format=json {arguments}"
            )));
            assert_eq!(ran.code, Some(0), "{ran:?}");
            let summary = ran.summary();
            assert_eq!(summary.counts.ok, 400, "{ran:?}");
            assert_eq!(summary.url, format!("https://{host}:{port}/"));
            // One more looks at the certificate.
            let accepted = server.accepted() - before - 1;
            assert!(
                connections == 0 || accepted == connections,
                "{accepted}: {ran:?}"
            );
            let connect = summary.latency_us.connect;
            assert!(
                connect.count > 0 && connect.p50.unwrap_or(50.0) > 20.0,
                "{connect:?}"
            );
        }
    }

    #[test]
    fn bodies_longer_than_a_record_arrive_whole_in_both_directions() {
        let Some(secure) = secure_server(300_000) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let body = folder.path().join("body");
        fs::write(&body, vec![b'y'; 3_000_000]).unwrap();
        let ran = run(program(&format!(
            "https://localhost:{}/ --cacert={} --warmup=0s --requests=20 --clients=2 --body-file={} --format=json \
             --requests-per-connection=5 --expect-body={}",
            secure.server.address.port(),
            secure.certificate.display(),
            body.display(),
            "any"
        )));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.summary().counts.ok, 20, "{ran:?}");
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_refused_unless_the_user_insists() {
        let Some(SecureServer {
            server,
            certificate,
            _folder,
        }) = secure_server(14)
        else {
            return;
        };
        let port = server.address.port();
        let load = "--warmup=0s --requests=20";
        let ran = run(program(&format!("https://localhost:{port}/ {load}")));
        assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
        assert!(
            ran.stderr.contains("certificate") || ran.stderr.contains("authority"),
            "{ran:?}"
        );
        let cacert = certificate.display();
        let ran = run(program(&format!(
            "https://0.0.0.0:{port}/ --cacert={cacert} {load}"
        )));
        assert_eq!(ran.code, Some(1), "another name: {ran:?}");
        assert!(ran.stderr.contains("certificate"), "{ran:?}");
        let ran = run(program(&format!(
            "https://0.0.0.0:{port}/ --insecure {load}"
        )));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("WARNING: --insecure"), "{ran:?}");
        for (arguments, reason) in [
            ("--engine=completion --insecure", "it speaks no TLS"),
            ("--conversation=ack --insecure", "TLS is for HTTP alone"),
            ("--cacert=/nowhere/a", "--cacert /nowhere/a: "),
            ("--cacert=/dev/null", "it has no certificate"),
        ] {
            let ran = run(program(&format!("https://localhost:{port}/ {arguments}")));
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(reason), "{arguments}: {ran:?}");
        }
    }

    #[test]
    fn what_is_no_tls_is_named_and_what_is_not_there_is_counted() {
        let ran = run(program(&format!(
            "https://{} --insecure --warmup=0s --requests=3 --clients=1",
            greeter().address
        )));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let ran = run(program(&format!(
            "https://{} --insecure --warmup=0s --requests=3 --clients=1 --format=json",
            nobody()
        )));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.summary().counts.failed["refused"]["connect"], 3);
    }
}
